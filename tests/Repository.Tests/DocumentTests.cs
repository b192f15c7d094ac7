using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>What the documents point to is there.</summary>
public sealed partial class DocumentTests
{
    /// <summary>Folders of the root. A code span that starts with one of them is a path of the repository.</summary>
    private static readonly string[] Folders = ["src", "tests", "bench", "docs", "data", "docker", ".ci"];

    /// <summary>The layer that docs/adding-a-layer.md adds.</summary>
    private const string Example = "LeakyReLU";

    [Fact]
    public void Every_link_of_the_documents_leads_to_a_file_or_folder() =>
        Findings.AssertNone(
            from document in SourceTree.Documents
            from match in Link().Matches(SourceTree.Read(document))
            let target = match.Groups[1].Value
            where !SourceTree.Exists(Path.Combine(Path.GetDirectoryName(document)!, target))
            select $"{document} links to {target}, which does not exist");

    [Fact]
    public void Every_path_that_the_documents_name_exists() =>
        Findings.AssertNone(
            from document in SourceTree.Documents
            from span in CodeSpan().Matches(SourceTree.Read(document)).Select(match => match.Groups[1].Value)
            from path in span.Split(' ')
            where Folders.Contains(path.Split('/')[0]) && path.Contains('/') && Plain().IsMatch(path)
            where !path.Contains(Example) && !SourceTree.Exists(path)
            select $"{document} names {path}, which does not exist");

    [Fact]
    public void Every_source_file_that_the_documents_name_exists()
    {
        HashSet<string> names = [Example, $"{Example}Spec", .. SourceTree.Sources.Select(file => file.Concept)];

        Findings.AssertNone(
            from document in SourceTree.Documents
            where document != "CHANGELOG.md"
            from match in FileName().Matches(SourceTree.Read(document))
            where !names.Contains(match.Value.Split('.')[0])
            select $"{document} names {match.Value}, which does not exist");
    }

    /// <summary>The target of a relative link, without its anchor.</summary>
    [GeneratedRegex(@"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<!`)`([^`\n]+)`(?!`)")]
    private static partial Regex CodeSpan();

    /// <summary>Without patterns and placeholders.</summary>
    [GeneratedRegex(@"^[\w./-]+$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\b[A-Z]\w+(\.cs|Tests)\b")]
    private static partial Regex FileName();
}
