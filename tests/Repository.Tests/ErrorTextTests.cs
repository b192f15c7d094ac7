using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Repository.Tests;

public sealed partial class ErrorTextTests
{
    private static readonly SourceFile[] Files = [.. SourceTree.Under("src")];

    [Fact]
    public void Errors_end_with_a_full_stop()
    {
        (SourceFile File, int Position, string Literal)[] ends =
            [.. Files.SelectMany(file => ErrorTexts.Ends(file).Select(end => (file, end.Position, end.Literal)))];

        Assert.InRange(ends.Length, 100, 10_000);
        Findings.AssertNone(ends.Where(end => !SentenceEnd().IsMatch(end.Literal))
            .Select(end => $"{end.File.Place(end.Position)}: {end.Literal} does not end with a full stop"));
    }

    [Fact]
    public void A_message_within_a_message_keeps_its_full_stop_out_of_the_sentence() =>
        Findings.AssertNone(
            from file in Files
            from match in InnerMessage().Matches(file.Text)
            select $"{file.Place(match.Index)}: {match.Value} may end with a full stop or not: use .Message.TrimEnd('.')");

    /// <summary>
    /// A full stop or a question mark, perhaps with a hole for another sentence behind it; a hole that joins sentences; or the message that a
    /// factory takes over, whose callers are looked at; or the reason of an
    /// answer or the message of a known error, which are sentences themselves.
    /// </summary>
    [GeneratedRegex(@"([.?](\{[^{}]*\})?|\{message\}|\{(?:[\w.!]*Reason|known\.Message)\}|^\$""\{[^{}]*\}|\{string\.Join\("" "",[^{}]*\})""$")]
    private static partial Regex SentenceEnd();

    /// <summary>The message of a caught exception, behind which the sentence ends or goes on.</summary>
    [GeneratedRegex(@"\{(e|inner)(\.\w+(\(\))?)*\.Message\}(?=[.;""]| [A-Z])")]
    private static partial Regex InnerMessage();
}
