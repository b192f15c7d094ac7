using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Engine.Tests;

/// <summary>House rules that no compiler checks, over all files of the source tree.</summary>
public sealed partial class TidyTests
{
    private const int MaxLines = 400;
    private const int MaxColumns = 160;

    private static readonly string Root = FindRoot();
    private static readonly string[] SourceFolders = ["src", "tests", "bench"];
    private static readonly string[] Scripts = ["convnet", "test", ".ci/run"];

    [Fact]
    public void Source_files_have_at_most_400_lines() =>
        AssertNone(Sources(SourceFolders)
            .Select(file => (file, lines: File.ReadLines(file).Count()))
            .Where(found => found.lines > MaxLines)
            .Select(found => $"{Name(found.file)} has {found.lines} lines; split it by concept"));

    [Fact]
    public void Source_lines_have_at_most_160_characters() =>
        AssertNone(Lines(Sources(["src"]))
            .Where(line => line.Text.Length > MaxColumns)
            .Select(line => $"{line.Place} has {line.Text.Length} characters"));

    [Fact]
    public void Nothing_is_left_open_in_a_comment_or_unimplemented() => AssertNone(Matching(OpenEnd(), Sources(SourceFolders)));

    [Fact]
    public void No_file_names_a_place_on_somebodys_machine() =>
        AssertNone(Matching(MachinePath(), [.. Sources(SourceFolders), .. Documents(), .. Scripts.Select(script => Path.Combine(Root, script))]));

    [Fact]
    public void Every_link_of_the_documents_leads_to_a_file_or_folder() =>
        AssertNone(Documents().SelectMany(document => Link().Matches(File.ReadAllText(document)).Select(match => (document, target: match.Groups[1].Value)))
            .Where(link => !Path.Exists(Path.Combine(Path.GetDirectoryName(link.document)!, link.target)))
            .Select(link => $"{Name(link.document)} links to {link.target}, which does not exist"));

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X|NotImplemented" + @"Exception)\b")]
    private static partial Regex OpenEnd();

    [GeneratedRegex(@"(?<![\w.])/(home|root|Users|work|mnt)/|[A-Z]:\\\\?Users")]
    private static partial Regex MachinePath();

    /// <summary>The target of a relative link, without its anchor.</summary>
    [GeneratedRegex(@"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    private static void AssertNone(IEnumerable<string> complaints) => Assert.Empty(complaints);

    private static string[] Sources(string[] folders) => [.. folders.SelectMany(folder => Files(folder, "*.cs"))];

    private static string[] Documents() =>
    [
        .. Directory.EnumerateFiles(Root, "*.md"),
        .. new[] { "docs", "bench", "tests", "docker", "data" }.SelectMany(folder => Files(folder, "*.md")),
    ];

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    private static IEnumerable<(string Place, string Text)> Lines(string[] files) =>
        files.SelectMany(file => File.ReadLines(file).Select((text, index) => ($"{Name(file)}:{index + 1}", text)));

    private static IEnumerable<string> Matching(Regex unwanted, string[] files) =>
        Lines(files).Where(line => unwanted.IsMatch(line.Text)).Select(line => $"{line.Place}: {line.Text.Trim()}");

    private static string Name(string file) => Path.GetRelativePath(Root, file);

    /// <summary>The folder of the solution, above the folder of the test's assembly.</summary>
    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ConvNet.Distributed.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"no ConvNet.Distributed.sln above {AppContext.BaseDirectory}");
    }
}
