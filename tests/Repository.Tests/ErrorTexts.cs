using System.Text.RegularExpressions;

namespace ConvNet.Repository.Tests;

/// <summary>The messages of the exceptions that a file makes.</summary>
internal static partial class ErrorTexts
{
    /// <summary>Each literal that a message can end with, as it stands in the source, and where it begins.</summary>
    public static IEnumerable<(int Position, string Literal)> Ends(SourceFile file)
    {
        string[] factories = [.. Factory().Matches(file.Code).Select(match => match.Groups[1].Value)];
        foreach (Match match in Call().Matches(file.Code))
        {
            bool isFactory = factories.Contains(match.Groups["name"].Value);
            if (match.Groups["new"].Success || isFactory)
            {
                (int Start, int End)[] arguments = [.. Split(file.Code, match.Index + match.Length, ',')];
                foreach ((int start, int end) in arguments.Where(argument => file.Code[argument.Start..argument.End].Contains('"')).Take(isFactory ? 9 : 1))
                {
                    foreach ((int from, int to) in Ends(file.Code, start, end))
                    {
                        yield return (from, file.Text[from..to]);
                    }
                }
            }
        }
    }

    /// <summary>The literals with which an expression between two positions can end.</summary>
    private static IEnumerable<(int Start, int End)> Ends(string code, int start, int end)
    {
        (start, end) = Trim(code, start, end);
        if (start >= end)
        {
            return [];
        }

        if (Branches(code, start, end) is { Count: > 1 } branches)
        {
            return branches.Skip(branches.Count == 3 ? 1 : 0).SelectMany(branch => Ends(code, branch.Start, branch.End));
        }

        (int Start, int End)[] terms = [.. Split(code, start, '+').TakeWhile(term => term.Start < end).Select(term => (term.Start, Math.Min(term.End, end)))];
        if (terms.Length > 1)
        {
            // What a call appends is a sentence of its own, so the one before it must have ended.
            return Ends(code, terms[^1].Start, terms[^1].End) is var last && last.Any() ? last : Ends(code, terms[^2].Start, terms[^2].End);
        }

        if (code[start] == '(' && code[end - 1] == ')')
        {
            return Ends(code, start + 1, end - 1);
        }

        if (Literal().IsMatch(code[start..end]))
        {
            return [(start, end)];
        }

        if (Wrapper().Match(code[start..end]) is { Success: true } wrapper)
        {
            (int Start, int End) argument = Split(code, start + wrapper.Length, ',').Last();
            return Ends(code, argument.Start, argument.End);
        }

        return [];
    }

    /// <summary>Condition and both results of a?b:c, both sides of a??b, else the whole.</summary>
    private static List<(int Start, int End)> Branches(string code, int start, int end)
    {
        int depth = 0;
        int question = -1;
        for (int at = start; at < end; at++)
        {
            depth += code[at] is '(' or '[' or '{' ? 1 : code[at] is ')' or ']' or '}' ? -1 : 0;
            if (depth == 0 && code[at] == '?' && code[at + 1] == '?')
            {
                return [(start, at), (at + 2, end)];
            }

            if (depth == 0 && code[at] == '?' && code[at + 1] != '.' && question < 0)
            {
                question = at;
            }
            else if (depth == 0 && code[at] == ':' && question >= 0)
            {
                return [(start, question), (question + 1, at), (at + 1, end)];
            }
        }

        return [(start, end)];
    }

    /// <summary>What stands between separators, up to the bracket that closes the one before <paramref name="start"/>.</summary>
    private static IEnumerable<(int Start, int End)> Split(string code, int start, char separator)
    {
        int depth = 0;
        int at = start;
        for (; at < code.Length && depth >= 0; at++)
        {
            depth += code[at] is '(' or '[' or '{' ? 1 : code[at] is ')' or ']' or '}' ? -1 : 0;
            if ((depth == 0 && code[at] == separator) || depth < 0 || (depth == 0 && code[at] == ';'))
            {
                yield return (start, at);
                start = at + 1;
                if (code[at] == ';')
                {
                    yield break;
                }
            }
        }
    }

    private static (int Start, int End) Trim(string code, int start, int end)
    {
        while (start < end && char.IsWhiteSpace(code[start]))
        {
            start++;
        }

        while (end > start && char.IsWhiteSpace(code[end - 1]))
        {
            end--;
        }

        return (start, end);
    }

    /// <summary>A method of the file that makes an exception from a message.</summary>
    [GeneratedRegex(@"ConvNetException (\w+)\([^)]*\bstring message\b[^)]*\)")]
    private static partial Regex Factory();

    [GeneratedRegex(
        @"(?<![\w.])(?:(?<new>new \w*Exception\(|new (?:Answer|JobFailure)\(|ConvNetException\.BadInput\(|new\((?=\s*\(?ExitCode))|(?<name>[A-Z]\w*)\()")]
    private static partial Regex Call();

    [GeneratedRegex(@"^[$@]*"".*""$", RegexOptions.Singleline)]
    private static partial Regex Literal();

    [GeneratedRegex(@"^(?:FormattableString\.Invariant|string\.Create)\(")]
    private static partial Regex Wrapper();
}
