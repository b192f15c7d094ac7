using ConvNet.Client.Tests.Commands;
using ConvNet.Grains.Checkpoints;
using Xunit;

namespace ConvNet.Client.Tests.BadInputs;

/// <summary>A short run that is as it should be, for all tests of a class.</summary>
public sealed class GoodRun : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder of the run's last checkpoint.</summary>
    public string Checkpoint { get; private set; } = "";

    /// <summary>Two classes of small grey images.</summary>
    public string Data => _folder["data"];

    public string RunFolder => _folder["run"];

    public async ValueTask InitializeAsync()
    {
        using var files = new SpoiltFiles("");
        Directory.Move(files.Idx(), Data);
        string model = _folder.Write(
            "model.json", """{"name":"small","input":[1,4,4],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":2}]}""");
        CommandLineRun run = await CommandLineRun.RunAsync(
            "train", "--model", model, "--data", Data, "--steps", "4", "--batch", "4", "--workers", "1", "--threads", "1", "--out", RunFolder);
        Assert.True(run.ExitCode == 0, run.Error);
        Checkpoint = CheckpointStore.FindNewest(RunFolder, _ => { })!;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }
}
