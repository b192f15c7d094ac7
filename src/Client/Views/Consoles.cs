using System.Text;
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
        Out = new Output(terminal),
    });

    private sealed class Output(Terminal terminal) : IAnsiConsoleOutput
    {
        public TextWriter Writer => terminal.Raw;

        public bool IsTerminal => terminal.IsInteractive;

        public int Width => terminal.SizeNow.Columns;

        public int Height => terminal.SizeNow.Rows;

        /// <summary>The writer has its encoding.</summary>
        public void SetEncoding(Encoding encoding)
        {
        }
    }
}
