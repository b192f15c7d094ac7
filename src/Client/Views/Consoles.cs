using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>Spectre consoles that follow <see cref="Terminal"/> and not their own guesses.</summary>
internal static class Consoles
{
    public static IAnsiConsole Create(Terminal terminal) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = terminal.IsInteractive ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = terminal.UsesColor ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = terminal.IsInteractive ? InteractionSupport.Yes : InteractionSupport.No,
        Out = new AnsiConsoleOutput(terminal.Out),
    });
}
