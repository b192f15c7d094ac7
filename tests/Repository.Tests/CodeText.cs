namespace ConvNet.Repository.Tests;

/// <summary>Tells code from comments and literals.</summary>
internal static class CodeText
{
    /// <summary>
    /// The same text, as long and with the same lines, but with blanks for comments and for what stands between quotes. The quotes stay, and
    /// so does the code in the holes of interpolated strings, with its braces.
    /// </summary>
    public static string Of(string text)
    {
        char[] code = [.. text.Select(c => c == '\n' ? c : ' ')];
        Copy(text, code, 0, untilBrace: false);
        return new string(code);
    }

    /// <summary>Copies code until the end of the text, or to the brace that closes a hole; returns where it stopped.</summary>
    private static int Copy(string text, char[] code, int at, bool untilBrace)
    {
        int depth = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '/' && at + 1 < text.Length && text[at + 1] is '/' or '*' && c == '/')
            {
                at = AfterComment(text, at);
            }
            else if (c == '\'')
            {
                code[at] = c;
                at = text.IndexOf('\'', at + (text[at + 1] == '\\' ? 3 : 1)) + 1;
                code[at - 1] = '\'';
            }
            else if (c == '"')
            {
                at = CopyString(text, code, at);
            }
            else if (untilBrace && depth == 0 && c == '}')
            {
                return at;
            }
            else
            {
                depth += c == '{' ? 1 : c == '}' ? -1 : 0;
                code[at++] = c;
            }
        }

        return at;
    }

    private static int AfterComment(string text, int at)
    {
        int end = text[at + 1] == '/' ? text.IndexOf('\n', at) : text.IndexOf("*/", at, StringComparison.Ordinal) + 2;
        return end < 0 ? text.Length : end;
    }

    /// <summary>From the first quote to behind the last one.</summary>
    private static int CopyString(string text, char[] code, int at)
    {
        int quotes = Run(text, at, '"');
        quotes = quotes == 2 ? 1 : quotes;
        bool raw = quotes >= 3;
        int dollars = 0;
        bool verbatim = false;
        for (int i = at - 1; i >= 0 && text[i] is '$' or '@'; i--)
        {
            dollars += text[i] == '$' ? 1 : 0;
            verbatim |= text[i] == '@';
        }

        code[at] = '"';
        at += quotes;
        while (true)
        {
            char c = text[at];
            if (c == '"' && raw && Run(text, at, '"') >= quotes)
            {
                at += Run(text, at, '"');
                code[at - 1] = '"';
                return at;
            }

            if (c == '"' && !raw && !(verbatim && text[at + 1] == '"'))
            {
                code[at] = '"';
                return at + 1;
            }

            int braces = dollars > 0 && c == '{' ? Run(text, at, '{') : 0;
            if (braces > 0 && (raw ? braces >= dollars : braces % 2 == 1))
            {
                at += braces;
                code[at - 1] = '{';
                at = Copy(text, code, at, untilBrace: true);
                code[at] = '}';
                at += raw ? dollars : 1;
            }
            else
            {
                at += braces > 0 ? braces : (c == '\\' && !raw && !verbatim) || (c == '"' && verbatim) ? 2 : 1;
            }
        }
    }

    private static int Run(string text, int at, char c)
    {
        int end = at;
        while (end < text.Length && text[end] == c)
        {
            end++;
        }

        return end - at;
    }
}
