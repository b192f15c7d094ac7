using System.Globalization;
using System.Text;

namespace ConvNet.Engine.Errors;

/// <summary>
/// Text that others wrote (names of files, classes, models and silos, errors of other machines), made fit for a terminal: nothing in it
/// moves the cursor, changes a colour or turns the direction of writing.
/// </summary>
public static class PrintableText
{
    /// <summary>A text on one line: characters of control, format and line separation become <c>\u{hex}</c>.</summary>
    /// <param name="asciiOnly">So does everything that is not ASCII.</param>
    public static string Of(string text, bool asciiOnly = false) => Escape(text, asciiOnly, keepsLines: false);

    /// <summary>The same for a message of several lines: line feeds stay.</summary>
    public static string OfLines(string text, bool asciiOnly = false) => Escape(text, asciiOnly, keepsLines: true);

    private static string Escape(string text, bool asciiOnly, bool keepsLines)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isHidden = !(keepsLines && rune.Value == '\n') && (IsHidden(rune) || (asciiOnly && !rune.IsAscii));
            shown.Append(isHidden ? $"\\u{{{rune.Value:x}}}" : rune.ToString());
        }

        return shown.ToString();
    }

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
