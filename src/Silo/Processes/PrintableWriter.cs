using System.Text;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Processes;

/// <summary>
/// Lets only printable text through: the one place that all lines for people pass on their way to a terminal, so that no name and no
/// error of another machine can steer it. JSON passes unchanged: it is ASCII without control characters already.
/// </summary>
/// <param name="inner">Stays open.</param>
public sealed class PrintableWriter(TextWriter inner, bool asciiOnly) : TextWriter(inner.FormatProvider)
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (value is not null)
        {
            inner.Write(PrintableText.OfLines(value, asciiOnly));
        }
    }

    /// <summary>One write a line, so that lines of two threads do not mix.</summary>
    public override void WriteLine(string? value) => inner.WriteLine(PrintableText.OfLines(value ?? "", asciiOnly));

    public override void WriteLine() => inner.WriteLine();

    public override void Flush() => inner.Flush();
}
