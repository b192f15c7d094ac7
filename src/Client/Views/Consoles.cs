using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>Spectre consoles that follow <see cref="Terminal"/> and not their own guesses.</summary>
internal static class Consoles
{
    /// <summary>Without a terminal nobody wraps lines for a reader: a pipe gets every line whole.</summary>
    private const int PipeWidth = 1000;

    public static IAnsiConsole Create(Terminal terminal)
    {
        IAnsiConsole console = AnsiConsole.Create(Settings(terminal));
        if (!terminal.IsInteractive)
        {
            console.Profile.Width = PipeWidth;
        }

        return console;
    }

    private static AnsiConsoleSettings Settings(Terminal terminal) => new()
    {
        Ansi = terminal.IsInteractive ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = terminal.UsesColor ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = terminal.IsInteractive ? InteractionSupport.Yes : InteractionSupport.No,
        Out = new AnsiConsoleOutput(terminal.Out),
    };
}
