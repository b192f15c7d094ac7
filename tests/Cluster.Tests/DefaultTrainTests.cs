using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The main job: `convnet train` with no argument learns real images and leaves everything that a user expects.</summary>
public sealed class DefaultTrainTests : IDisposable
{
    /// <summary>What PyTorch reaches with this network and these options in two epochs is 0.889.</summary>
    private const double LeastAccuracy = 0.87;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Training_without_arguments_learns_the_images_and_fills_its_folder()
    {
        using ClientProcess training = await ClientProcess.RunAsync(0, _folder.Path, "train", "--json");

        JsonElement last = training.Events[^1];
        double accuracy = last.GetProperty("testAccuracy").GetDouble();
        Assert.Equal("run.completed", last.GetProperty("event").GetString());
        Assert.Equal(376, last.GetProperty("steps").GetInt64());
        Assert.InRange(accuracy, LeastAccuracy, 1);
        Assert.Equal([12000L, 12000L], last.GetProperty("samplesPerWorker").EnumerateObject().Select(worker => worker.Value.GetInt64()));

        string run = Path.Combine(_folder.Path, "runs", "train-0001");
        Assert.True(File.Exists(Path.Combine(run, "config.resolved.yaml")));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(run, "logs")));
        Assert.Equal(training.Output, await File.ReadAllTextAsync(Path.Combine(run, "events.jsonl"), TestContext.Current.CancellationToken));
        string[] rows = await File.ReadAllLinesAsync(Path.Combine(run, "metrics.csv"), TestContext.Current.CancellationToken);
        Assert.Equal(376, rows.Count(row => row.Contains(",train,")));
        Assert.Equal(2, rows.Count(row => row.Contains(",test,")));
        Assert.Equal(["step-00000188", "step-00000376"], Directory.GetDirectories(Path.Combine(run, "checkpoints")).Select(Path.GetFileName).Order());

        using ClientProcess evaluation = await ClientProcess.RunAsync(0, _folder.Path, "eval", "runs/latest", "--json");
        JsonElement evaluated = evaluation.Events[^1];
        Assert.Equal(accuracy, evaluated.GetProperty("accuracy").GetDouble());
        Assert.Equal(2000, evaluated.GetProperty("samples").GetInt64());
        Assert.Equal(last.GetProperty("weightsSha256").GetString(), evaluated.GetProperty("weightsSha256").GetString());
    }
}
