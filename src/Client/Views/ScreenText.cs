using System.Globalization;
using System.Text;
using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>Fits printable text to columns, of which a wide character takes two.</summary>
internal static class ScreenText
{
    private const string Indent = "  ";

    /// <summary>The text, or its beginning and its end with an ellipsis between them: names of machines often differ at the end.</summary>
    public static string Cut(string text, int columns, Glyphs glyphs)
    {
        if (text.GetCellWidth() <= columns)
        {
            return text;
        }

        int room = Math.Max(0, columns - glyphs.Ellipsis.Length);
        string[] elements = [.. Elements(text)];
        string end = string.Concat(Leading(elements.Reverse(), room / 3).Reverse());
        string start = string.Concat(Leading(elements, room - end.GetCellWidth()));
        return $"{start}{glyphs.Ellipsis[..Math.Min(columns, glyphs.Ellipsis.Length)]}{end}";
    }

    /// <summary>Filled with spaces to a width, at the right or, for numbers, at the left.</summary>
    public static string Pad(string text, int columns, bool atLeft)
    {
        string spaces = new(' ', Math.Max(0, columns - text.GetCellWidth()));
        return atLeft ? spaces + text : text + spaces;
    }

    /// <summary>Breaks a sentence between words. A word that is longer than a line stays whole, so that a path can be copied.</summary>
    public static IEnumerable<string> Wrap(string text, int columns)
    {
        var line = new StringBuilder();
        foreach (string word in text.GetCellWidth() <= columns ? [text] : text.Split(' '))
        {
            if (line.Length > Indent.Length && line.ToString().GetCellWidth() + 1 + word.GetCellWidth() > columns)
            {
                yield return line.ToString().TrimEnd();
                line.Clear().Append(Indent).Append(word);
            }
            else
            {
                line.Append(line.Length == 0 || line.ToString() == Indent ? "" : " ").Append(word);
            }
        }

        yield return line.ToString().TrimEnd();
    }

    private static IEnumerable<string> Elements(string text)
    {
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            yield return elements.GetTextElement();
        }
    }

    private static IEnumerable<string> Leading(IEnumerable<string> elements, int columns)
    {
        foreach (string element in elements)
        {
            columns -= element.GetCellWidth();
            if (columns < 0)
            {
                yield break;
            }

            yield return element;
        }
    }
}
