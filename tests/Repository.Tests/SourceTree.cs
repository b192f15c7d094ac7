namespace ConvNet.Repository.Tests;

/// <summary>The files of the repository, as text; what builds leave behind is not seen.</summary>
internal static class SourceTree
{
    /// <summary>Programs that stand alone, without the project's rules: they are compared with.</summary>
    private const string Peers = "bench/peers/";

    /// <summary>The folder of the solution, above the folder of the test's assembly.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All C# files of src, tests and bench, by name.</summary>
    public static IReadOnlyList<SourceFile> Sources { get; } =
    [
        .. new[] { "src", "tests", "bench" }.SelectMany(folder => Files(folder, "*.cs"))
            .Where(name => !name.StartsWith(Peers, StringComparison.Ordinal))
            .Select(name => new SourceFile(name)),
    ];

    /// <summary>The Markdown files of the root and of the folders that hold documents.</summary>
    public static IReadOnlyList<string> Documents { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*.md").Select(NameOf),
        .. new[] { "docs", "bench", "tests", "docker", "data" }.SelectMany(folder => Files(folder, "*.md")),
    ];

    /// <summary>The scripts that build, run and test.</summary>
    public static IReadOnlyList<string> Scripts { get; } = ["convnet", "test", ".ci/run"];

    /// <summary>The C# files under a folder, such as "src/Engine".</summary>
    public static IEnumerable<SourceFile> Under(params string[] folders) =>
        Sources.Where(file => folders.Any(folder => file.Name.StartsWith(folder + "/", StringComparison.Ordinal)));

    /// <param name="name">From the root, with slashes.</param>
    public static string Read(string name) => File.ReadAllText(Path.Combine(Root, name));

    public static bool Exists(string name) => Path.Exists(Path.Combine(Root, name));

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(NameOf)
            .Where(name => !name.Split('/').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    private static string NameOf(string path) => Path.GetRelativePath(Root, path).Replace(Path.DirectorySeparatorChar, '/');

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ConvNet.Distributed.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"no ConvNet.Distributed.sln above {AppContext.BaseDirectory}.");
    }
}
