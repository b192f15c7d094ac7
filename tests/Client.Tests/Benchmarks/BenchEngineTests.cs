using System.Text.Json;
using ConvNet.Client.Tests.Commands;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Tests.Golden;
using Xunit;

namespace ConvNet.Client.Tests.Benchmarks;

public sealed class BenchEngineTests
{
    /// <summary>Relative, of the loss: the promise about the engine.</summary>
    private const double LossTolerance = 1e-4;

    /// <summary>Input values lie within ±2, as those behind the golden losses.</summary>
    private const float InputScale = 2;

    [Theory]
    [InlineData("fashion-cnn", "1")]
    [InlineData("resnet20", "2")]
    [InlineData("vgg11-bn", "2")]
    public async Task With_given_weights_and_input_the_first_loss_is_that_of_PyTorch(string net, string threads)
    {
        GoldenCase golden = GoldenFile.Read(net).Cases[0];
        using var folder = new TemporaryFolder();
        string weights = folder["model.safetensors"], input = folder["input.safetensors"];
        WriteWeights(weights, net, golden);
        WriteInput(input, ModelPresets.Find(net)!.Input, golden);

        CommandLineRun run = await CommandLineRun.RunAsync(
            "bench", "engine", "--model", net, "--weights", weights, "--input", input, "--threads", threads, "--steps", "1", "--json");

        Assert.Equal("", run.Error);
        JsonElement line = JsonDocument.Parse(run.Out).RootElement;
        double loss = line.GetProperty("firstLoss").GetDouble();
        Assert.True(Math.Abs(loss - golden.Loss) <= LossTolerance * golden.Loss, $"{net}: loss {loss}, PyTorch {golden.Loss}");
        foreach (string name in (string[])["trainImagesPerSecond", "evalImagesPerSecond", "peakMemoryBytes", "vectorBits"])
        {
            Assert.True(line.GetProperty(name).GetDouble() > 0, name);
        }
    }

    [Fact]
    public async Task Without_files_it_measures_random_weights_and_input()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("bench", "engine", "--model", "lenet", "--batch", "8", "--steps", "2");

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(
            @"^lenet, batch 8, 1 thread\(s\): training \d+ images/s, evaluation \d+ images/s, " +
            @"first loss [\d.]+, peak memory in training \d+ MiB, vectors of (512|256|128) bits\s*$",
            run.Out);
    }

    [Fact]
    public async Task A_batch_size_beside_an_input_file_does_not_parse()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("bench", "engine", "--input", "x.safetensors", "--batch", "8");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("exclude each other", run.Error);
    }

    [Theory]
    [InlineData("images is [2, 1, 4, 4] instead of [2, 1, 28, 28]", 2, 4, 0f)]
    [InlineData("labels has 0.5", 2, 28, 0.5f)]
    [InlineData("images has 0 samples", 0, 28, 0f)]
    [InlineData("a sample has class 10", 1, 28, 10f)]
    public async Task An_input_file_that_does_not_suit_the_model_is_refused(string message, int count, int side, float label)
    {
        using var folder = new TemporaryFolder();
        string path = folder["input.safetensors"];
        using (FileStream file = File.Create(path))
        {
            var images = new NamedTensor("images", [count, 1, side, side], new float[count * side * side]);
            SafetensorsFile.Write(file, [images, new NamedTensor("labels", [count], Enumerable.Repeat(label, count).ToArray())]);
        }

        CommandLineRun run = await CommandLineRun.RunAsync("bench", "engine", "--model", "lenet", "--input", path, "--steps", "1");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(message, run.Error);
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("layers")]
    public async Task A_batch_with_more_values_than_an_array_holds_is_refused(string command)
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write(
            "large.json",
            """
            {"name":"large","input":[3,224,224],"layers":[
              {"type":"conv","out":8,"kernel":1},{"type":"globalAvgPool"},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
            """);

        CommandLineRun run = await CommandLineRun.RunAsync("bench", command, "--model", model, "--batch", "60000", "--steps", "1");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("60000 samples of 3x224x224 are 9031680000 values", run.Error);
        Assert.Contains($"give --batch 1 to {Array.MaxLength / (3 * 224 * 224)}", run.Error);
    }

    [Theory]
    [InlineData("engine", false)]
    [InlineData("engine", true)]
    [InlineData("layers", false)]
    public async Task A_batch_that_leaves_a_single_value_per_channel_is_refused_as_train_does(string command, bool fromFile)
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write(
            "single.json",
            """
            {"name":"single","input":[1,2,2],"layers":[
              {"type":"flatten"},{"type":"fullyConnected","out":10},{"type":"batchNorm"}]}
            """);
        string input = folder["input.safetensors"];
        using (FileStream file = File.Create(input))
        {
            SafetensorsFile.Write(file, [new NamedTensor("images", [1, 1, 2, 2], new float[4]), new NamedTensor("labels", [1], new float[1])]);
        }

        string[] batch = fromFile ? ["--input", input] : ["--batch", "1"];
        CommandLineRun run = await CommandLineRun.RunAsync(["bench", command, "--model", model, .. batch, "--steps", "1"]);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("a batch of 1 leave a single value per channel", run.Error);
    }

    private static void WriteWeights(string path, string net, GoldenCase golden)
    {
        var model = new Model(ModelPresets.Find(net)!, BatchNormMode.Sync);
        Dictionary<string, int[]> shapes = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Shape);
        foreach (BatchNorm norm in model.BatchNorms)
        {
            shapes[$"{norm.Name}.running_mean"] = shapes[$"{norm.Name}.running_var"] = [norm.Output.C];
        }

        using FileStream file = File.Create(path);
        SafetensorsFile.Write(file, golden.State.Select(tensor =>
        {
            int[] shape = shapes[tensor.Name];
            return new NamedTensor(tensor.Name, shape, tensor.Values(golden.Seed, shape.Aggregate(1, (product, side) => product * side)));
        }));
    }

    private static void WriteInput(string path, Shape shape, GoldenCase golden)
    {
        float[] images = GoldenFile.Input(golden, golden.Batch * shape.Count, InputScale);
        float[] labels = [.. Formula.Labels(golden.Seed, golden.Batch, 10).Select(label => (float)label)];
        using FileStream file = File.Create(path);
        SafetensorsFile.Write(file, [
            new NamedTensor("images", [golden.Batch, shape.C, shape.H, shape.W], images),
            new NamedTensor("labels", [golden.Batch], labels)]);
    }
}
