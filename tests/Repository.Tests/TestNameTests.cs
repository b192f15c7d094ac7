using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Repository.Tests;

public sealed partial class TestNameTests
{
    [Fact]
    public void The_names_of_tests_read_as_sentences() =>
        Findings.AssertNone(
            from file in SourceTree.Under("tests")
            from match in Test().Matches(file.Code)
            let name = match.Groups[1].Value
            where !Sentence().IsMatch(name)
            select $"{file.Place(match.Groups[1].Index)}: {name} is no sentence such as Values_are_added_in_pairs");

    /// <summary>A method behind [Fact] or [Theory], whatever stands between.</summary>
    [GeneratedRegex(@"\[(?:\w+\.)*(?:Fact|Theory)\b[^;{}]*?\b(?:void|Task|ValueTask)\s+(\w+)\s*\(")]
    private static partial Regex Test();

    /// <summary>At least three words, the first with a capital; names of types may stand among them.</summary>
    [GeneratedRegex(@"^[A-Z]\w*?(_[A-Za-z0-9]+){2,}$")]
    private static partial Regex Sentence();
}
