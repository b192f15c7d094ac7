using ConvNet.Engine.Errors;
using ConvNet.Silo.Processes;

namespace ConvNet.Client.Views;

/// <summary>Where a command writes: results to <see cref="Out"/>, messages to <see cref="Error"/>. Both let only printable text through.</summary>
/// <param name="IsInteractive">A person watches: cursor movement and redraws are welcome.</param>
/// <param name="UsesColor">Colour is welcome; never without <paramref name="IsInteractive"/>.</param>
/// <param name="IsUnicode">It shows more than ASCII.</param>
/// <param name="Size">Asked again whenever something is drawn; null where nobody wraps lines, as in a pipe.</param>
/// <param name="ReadKey">Waits for a key, which is not shown; null where nobody can press one.</param>
public sealed record Terminal(
    TextWriter Out,
    TextWriter Error,
    bool IsInteractive,
    bool UsesColor,
    bool IsUnicode = true,
    Func<ScreenSize>? Size = null,
    Func<ConsoleKeyInfo>? ReadKey = null)
{
    /// <summary>Without a terminal nobody wraps lines for a reader: a pipe gets every line whole.</summary>
    private const int PipeColumns = int.MaxValue;

    /// <summary>Standard output for what is known to be ours, and draws.</summary>
    internal TextWriter Raw { get; } = Out;

    public TextWriter Out { get; } = new PrintableWriter(Out, !IsUnicode);

    public TextWriter Error { get; } = new PrintableWriter(Error, !IsUnicode);

    public ScreenSize SizeNow => Size?.Invoke() ?? (IsInteractive ? ScreenSize.Usual : new ScreenSize(PipeColumns, PipeColumns));

    /// <summary>
    /// The terminal of this process. Without one, with TERM=dumb, or with output in a pipe, there is no animation;
    /// NO_COLOR (set and not empty) turns colour off, as no-color.org says.
    /// </summary>
    public static Terminal Process()
    {
        string? term = Environment.GetEnvironmentVariable("TERM");
        bool interactive = !Console.IsOutputRedirected && term is not (null or "" or "dumb");
        bool color = interactive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return new Terminal(
            StandardStream.Open(1, Console.IsOutputRedirected),
            StandardStream.Open(2, Console.IsErrorRedirected),
            interactive,
            color,
            Console.IsOutputRedirected || StandardStream.ShowsUnicode(Environment.GetEnvironmentVariable),
            Console.IsOutputRedirected ? null : ConsoleSize,
            interactive && !Console.IsInputRedirected ? () => Console.ReadKey(intercept: true) : null);
    }

    /// <summary>A text on one line, with nothing in it that steers this terminal.</summary>
    internal string Printable(string text) => PrintableText.Of(text, !IsUnicode);

    /// <summary>Tells something that the person should know, while the command goes on.</summary>
    internal void Warn(string warning) => Error.WriteLine($"warning: {warning}");

    /// <summary>Writes a sentence, broken between words where it is too long.</summary>
    internal void Say(string sentence)
    {
        foreach (string row in ScreenText.Wrap(Printable(sentence), SizeNow.LineColumns))
        {
            Out.WriteLine(row);
        }
    }

    private static ScreenSize ConsoleSize()
    {
        try
        {
            var size = new ScreenSize(Console.WindowWidth, Console.WindowHeight);
            return size is { Columns: > 0, Rows: > 0 } ? size : ScreenSize.Usual;
        }
        catch (IOException)
        {
            return ScreenSize.Usual;
        }
    }
}
