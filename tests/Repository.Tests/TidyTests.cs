using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>What holds for the text of every file.</summary>
public sealed partial class TidyTests
{
    private const int MaxLines = 400;
    private const int MaxColumns = 160;

    // NOT YET: to be removed when its lines are shorter.
    private const string NotYet = "tests/Grains.Tests/Simulation/";

    [Fact]
    public void Source_files_have_at_most_400_lines() =>
        Findings.AssertNone(SourceTree.Sources
            .Where(file => file.Lines.Length > MaxLines)
            .Select(file => $"{file.Name} has {file.Lines.Length} lines; split it by concept"));

    [Fact]
    public void Source_lines_have_at_most_160_characters() =>
        Findings.AssertNone(Lines(SourceTree.Sources.Select(file => file.Name).Where(name => !name.StartsWith(NotYet)))
            .Where(line => line.Text.Length > MaxColumns)
            .Select(line => $"{line.Place} has {line.Text.Length} characters"));

    [Fact]
    public void Editors_are_told_the_same_length_of_lines() =>
        Assert.Contains($"max_line_length = {MaxColumns}", SourceTree.Read(".editorconfig").Split('\n'));

    [Fact]
    public void Nothing_is_left_open_in_a_comment_or_unimplemented() =>
        Findings.AssertNone(Matching(OpenEnd(), SourceTree.Sources.Select(file => file.Name)));

    [Fact]
    public void No_file_names_a_place_on_somebodys_machine() =>
        Findings.AssertNone(Matching(MachinePath(), [.. SourceTree.Sources.Select(file => file.Name), .. SourceTree.Documents, .. SourceTree.Scripts]));

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X|NotImplemented" + @"Exception)\b")]
    private static partial Regex OpenEnd();

    [GeneratedRegex(@"(?<![\w.])/(home|root|Users|work|mnt)/|[A-Z]:\\\\?Users")]
    private static partial Regex MachinePath();

    private static IEnumerable<(string Place, string Text)> Lines(IEnumerable<string> files) =>
        files.SelectMany(file => SourceTree.Read(file).Split('\n').Select((text, index) => ($"{file}:{index + 1}", text)));

    private static IEnumerable<string> Matching(Regex unwanted, IEnumerable<string> files) =>
        Lines(files).Where(line => unwanted.IsMatch(line.Text)).Select(line => $"{line.Place}: {line.Text.Trim()}");
}
