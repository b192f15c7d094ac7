using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// The page about clusters over several machines. Before a fenced block that is to be run stands where, in a comment that readers don't see:
/// <c>&lt;!-- on: silo --&gt;</c>.
/// </summary>
internal static partial class ClusterGuide
{
    private static readonly string Text = File.ReadAllText(Path.Combine(ReadmeCommands.Root, "docs", "running-a-cluster.md"));

    /// <summary>The lines of the block for a place; there must be one.</summary>
    public static string[] On(string place) =>
        Assert.Single(Block().Matches(Text), block => block.Groups["place"].Value == place).Groups["lines"].Value.TrimEnd('\n').Split('\n');

    /// <summary>The command by which the page says what the result is.</summary>
    public static string Alone => Equal().Match(Text).Groups["command"].Value;

    [GeneratedRegex("""(?ms)^<!-- on: (?<place>[^\n]*?) -->\n```[a-z]*\n(?<lines>.*?)^```$""")]
    private static partial Regex Block();

    [GeneratedRegex("""The result is that of `(?<command>[^`]*)` on one machine""")]
    private static partial Regex Equal();
}
