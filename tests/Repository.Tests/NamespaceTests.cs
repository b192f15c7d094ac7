using Xunit;

namespace ConvNet.Repository.Tests;

public sealed class NamespaceTests
{
    /// <summary>What the tests of several projects share is compiled into each of them.</summary>
    private const string Shared = "tests/Shared";

    [Fact]
    public void The_namespace_of_a_file_is_its_folder() =>
        Findings.AssertNone(SourceTree.Sources
            .Where(file => file.Namespace is { } name && name != Expected(file.Folder))
            .Select(file => $"{file.Name} is in {file.Namespace}, not in {Expected(file.Folder)}"));

    private static string Expected(string folder) =>
        folder == Shared ? "ConvNet.Tests" : $"ConvNet.{folder[(folder.IndexOf('/') + 1)..].Replace('/', '.')}";
}
