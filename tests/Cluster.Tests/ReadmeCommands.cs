using System.Text.RegularExpressions;

namespace ConvNet.Cluster.Tests;

/// <summary>The README, and the client's commands in its fenced blocks.</summary>
internal static partial class ReadmeCommands
{
    /// <summary>Folder of the repository.</summary>
    public static string Root { get; } = FindRoot();

    public static string Text { get; } = File.ReadAllText(Path.Combine(Root, "README.md"));

    /// <summary>The arguments of every ./convnet line in order, without its comment and without what it is piped to.</summary>
    public static IReadOnlyList<string[]> All { get; } =
    [
        .. Block().Matches(Text).SelectMany(block => Command().Matches(block.Value))
            .Select(match => match.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
    ];

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "README.md")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"no README.md above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex(@"(?ms)^```\n.*?^```$")]
    private static partial Regex Block();

    [GeneratedRegex(@"(?m)^(?:[$>] *)?\./convnet ([^#|\n]*)")]
    private static partial Regex Command();
}
