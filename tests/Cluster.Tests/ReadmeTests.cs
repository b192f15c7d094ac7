using System.Text.RegularExpressions;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The README's commands do what it says.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private const string RefusedModel = "bad.json";
    private const string Layout = "$layout";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_commands_work_one_after_the_other()
    {
        string[][] commands = [.. ReadmeCommands.All.Where(
            command => !command.Contains("--cluster") && !command.Contains(RefusedModel) && !command.Contains(Layout))];
        Assert.True(commands.Length >= 10, "the README has fewer commands than this test was made for");
        foreach (string[] command in commands)
        {
            // DefaultTrainTests runs the one without arguments.
            using ClientProcess process = await ClientProcess.RunAsync(0, _folder.Path, command.Length == 1 ? [.. command, "--help"] : command);
            Assert.NotEqual("", process.Output);
        }
    }

    [Fact]
    public async Task The_layouts_end_in_the_hash_that_stands_there()
    {
        string[] command = Assert.Single(ReadmeCommands.All, command => command.Contains(Layout));
        string[] hashes = [.. Hash().Matches(ReadmeCommands.Text).Select(match => match.Groups[1].Value)];
        string[] layouts = [.. QuotedOptions().Matches(LayoutLoop().Match(ReadmeCommands.Text).Value).Select(match => match.Groups[1].Value)];
        Assert.Equal(3, layouts.Length);

        Assert.Equal(layouts.Length, hashes.Length);
        for (int i = 0; i < layouts.Length; i++)
        {
            using ClientProcess process = await ClientProcess.RunAsync(
                0, _folder.Path, [.. command.SelectMany(word => word == Layout ? layouts[i].Split(' ') : [word])]);
            Assert.Equal(hashes[i], JobEnd.Of(process).StateSha256);
        }
    }

    [Fact]
    public async Task The_model_that_does_not_fit_is_refused_in_the_words_that_stand_there()
    {
        string[] command = Assert.Single(ReadmeCommands.All, command => command.Contains(RefusedModel));
        string words = ErrorLine().Match(ReadmeCommands.Text).Groups[1].Value;
        _folder.Write(
            RefusedModel,
            """
            {"name":"odd","input":[1,28,28],
            "layers":[{"type":"conv","out":8,"kernel":3,"stride":2},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
            """);

        using ClientProcess process = await ClientProcess.RunAsync(3, _folder.Path, command);

        Assert.StartsWith(words, process.Error);
    }

    [Fact]
    public async Task The_silos_and_the_client_and_the_monitor_work_together()
    {
        string[][] commands = [.. ReadmeCommands.All.Where(command => command.Contains("--cluster"))];
        int[] ports = FreePorts.Take(4);
        string[] OnFreePorts(string[] command)
        {
            string[] moved =
            [
                .. command.Select(word => word
                    .Replace("127.0.0.1:11111", $"127.0.0.1:{ports[0]}?gateway={ports[1]}").Replace("11112", $"{ports[2]}").Replace("30001", $"{ports[3]}")),
            ];
            return command[0] == "silo" && !command.Contains("--port") ? [.. moved, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}"] : moved;
        }

        Assert.Equal(["silo", "silo", "train", "monitor", "train", "job", "job"], commands.Select(command => command[0]));
        using ClientProcess first = ClientProcess.Start(_folder.Path, OnFreePorts(commands[0]));
        await first.SaysAsync("node-1 is in the cluster");
        using ClientProcess second = ClientProcess.Start(_folder.Path, OnFreePorts(commands[1]));
        await second.SaysAsync("node-2 is in the cluster");
        using ClientProcess training = await ClientProcess.RunAsync(0, _folder.Path, OnFreePorts(commands[2]));
        foreach (string[] command in commands[4..])
        {
            using ClientProcess detached = await ClientProcess.RunAsync(0, _folder.Path, OnFreePorts(command));
            Assert.Contains("nightly", detached.Output);
        }

        using ClientProcess monitor = ClientProcess.Start(_folder.Path, OnFreePorts(commands[3]));

        Assert.Contains($"State {StateAgain().Match(ReadmeCommands.Text).Groups[1].Value}", training.Output);
        await monitor.SaysAsync("lenet on fashion-mnist-mini  completed  step 40/40");
        monitor.Terminate();
        await monitor.EndAsync(143);
    }

    [GeneratedRegex(@"(?m)^""stateSha256"":""([0-9a-f]{64})""$")]
    private static partial Regex Hash();

    [GeneratedRegex(@"for layout in .*; do")]
    private static partial Regex LayoutLoop();

    [GeneratedRegex(@"""(--[^""]+)""")]
    private static partial Regex QuotedOptions();

    /// <summary>Up to the dots that stand for its rest.</summary>
    [GeneratedRegex(@"(?m)^(error: .*?)(?:, \.\.\.)?$")]
    private static partial Regex ErrorLine();

    [GeneratedRegex(@"state is again `([0-9a-f]{16})…`")]
    private static partial Regex StateAgain();
}
