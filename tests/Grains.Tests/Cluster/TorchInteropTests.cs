using System.Diagnostics;
using System.Runtime.InteropServices;
using ConvNet.Engine.Data;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A trained model leaves for PyTorch: the same logits there. Runs with ./test --full, which installs python3-torch.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class TorchInteropTests(OneSilo cluster) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static bool IsShortRun => !FullRun.IsAsked;

    public void Dispose() => _folder.Dispose();

    [Fact(Skip = "needs python3-torch: run ./test --full", SkipWhen = nameof(IsShortRun), SkipType = typeof(TorchInteropTests))]
    public async Task A_trained_resnet20_gives_the_same_logits_in_PyTorch()
    {
        JobSpec job = TestJobs.Job("resnet20", batch: 64, steps: 60);
        (CheckpointResult checkpoint, _) = await TestJobs.RunAsync(cluster.Grains, job, workers: 2);
        Dataset data = DataCatalog.Open(DatasetFiles.DefaultName);
        string logits = WriteLogits(job, CheckpointFolder.Load(checkpoint.Path), data);

        string script = Path.Combine(AppContext.BaseDirectory, "Cluster", "compare_logits.py");
        using Process python = Process.Start(new ProcessStartInfo(
            "/usr/bin/python3",
            [script, Path.Combine(checkpoint.Path, CheckpointFolder.ModelFile), logits, DatasetFiles.TryFindBuiltIn(DatasetFiles.DefaultName)!])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(python.ExitCode == 0, output + errors);
        Assert.Contains("2000 images compared", output);
    }

    /// <summary>Float32 logits of all test images, (2000, 10).</summary>
    private string WriteLogits(JobSpec job, Checkpoint checkpoint, Dataset data)
    {
        using var team = new ThreadTeam(2);
        using var network = new Network(new Model(job.Model, job.BatchNormMode), team);
        var tensors = checkpoint.Model.ToDictionary(tensor => tensor.Name, tensor => tensor.Data.ToArray());
        foreach (Parameter parameter in network.Model.Parameters)
        {
            tensors[parameter.Name].CopyTo(parameter.Values, 0);
        }

        network.PrepareEvaluation([.. network.Model.BatchNorms.Select(norm =>
            new BatchNormState(norm.Name, tensors[$"{norm.Name}.running_mean"], tensors[$"{norm.Name}.running_var"]))]);
        var filler = new BatchFiller(data.Test, job.Adapter, null);
        var logits = new List<float>();
        for (int first = 0; first < data.Test.Count; first += 50)
        {
            filler.Fill(0, 0, [.. Enumerable.Range(first, 50)], network.Input(50), new int[50]);
            Activation y = network.Predict(50);
            for (int n = 0; n < 50; n++)
            {
                for (int c = 0; c < network.Model.Classes; c++)
                {
                    logits.Add(y[n, c, 0, 0]);
                }
            }
        }

        string path = Path.Combine(_folder.Path, "logits.bin");
        File.WriteAllBytes(path, MemoryMarshal.AsBytes<float>(logits.ToArray()));
        return path;
    }
}
