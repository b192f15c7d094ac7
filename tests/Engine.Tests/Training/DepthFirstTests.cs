using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

/// <summary>Evaluation takes a few samples at a time through many layers; the results are those of the layers one by one.</summary>
public class DepthFirstTests
{
    private const int Batch = 11;

    /// <summary>Kernels of every kind that evaluate depth first, then large layers that take the whole batch.</summary>
    private const string Every = """
        {"name":"every","input":[3,12,12],"layers":[
          {"type":"batchNorm"},{"type":"relu"},{"type":"conv","out":20,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},
          {"type":"conv","out":20,"kernel":3,"padding":1,"groups":20},{"type":"batchNorm"},{"type":"relu"},
          {"type":"conv","out":24,"kernel":3,"padding":1,"groups":4},{"type":"groupNorm","groups":3},{"type":"dropout","rate":0.3},
          {"type":"residual","main":[{"type":"dropout","rate":0.3},{"type":"conv","out":24,"kernel":3,"padding":1},{"type":"relu"},
            {"type":"conv","out":24,"kernel":3,"padding":1},{"type":"relu"},{"type":"conv","out":24,"kernel":1}]},
          {"type":"conv","out":20,"kernel":3,"padding":1},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},{"type":"layerNorm"},
          {"type":"residual","main":[{"type":"conv","out":28,"kernel":3,"stride":2,"padding":1,"rounding":"floor"},{"type":"batchNorm"},{"type":"relu"},
            {"type":"residual","main":[{"type":"conv","out":28,"kernel":3,"padding":1},{"type":"batchNorm"}]}],
            "shortcut":[{"type":"conv","out":28,"kernel":1,"stride":2,"rounding":"floor"},{"type":"instanceNorm"}]},
          {"type":"conv","out":600,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"avgPool","size":3,"stride":3},
          {"type":"locallyConnected","out":5,"kernel":1},{"type":"flatten"},{"type":"fullyConnected","out":4}]}
        """;

    [Theory]
    [InlineData("lenet", 1)]
    [InlineData("fashion-cnn", 2)]
    [InlineData("resnet20", 3)]
    [InlineData("vgg11-bn", 2)]
    [InlineData(Every, 1)]
    [InlineData(Every, 3)]
    public void A_sample_has_the_logits_of_the_layers_one_by_one_in_batches_of_any_size(string model, int threads)
    {
        using var team = new ThreadTeam(threads);
        using Network network = Trained(model, team, out LocalTraining training);
        training.Exchange.PrepareEvaluation();
        float[] expected = LayerByLayer(network, team);
        foreach (int samples in new[] { 1, 2, 5, Batch })
        {
            Assert.Equal(expected[..(samples * network.Model.Classes)], Nchw.Read(network.Predict(samples), samples));
        }
    }

    [Fact]
    public void Evaluation_after_more_training_has_the_new_weights_and_statistics()
    {
        using var team = new ThreadTeam(2);
        using Network network = Trained(Every, team, out LocalTraining training);
        training.Exchange.PrepareEvaluation();
        float[] before = Nchw.Read(network.Predict(Batch), Batch);

        Train(training);
        training.Exchange.PrepareEvaluation();

        float[] after = Nchw.Read(network.Predict(Batch), Batch);
        Assert.NotEqual(before, after);
        Assert.Equal(LayerByLayer(network, team), after);
    }

    [Theory]
    [InlineData("fashion-cnn", "0-13 by 3")]
    [InlineData("resnet20", "0-15 by 3")]
    [InlineData("vgg11-bn", "0-8 by 3, 8-31 whole")]
    [InlineData(Every, "0-17 by 24, 17-24 whole")]
    public void Layers_run_depth_first_until_filters_are_too_large_to_be_read_again(string model, string expected)
    {
        IReadOnlyList<EvaluationStage> stages = EvaluationStage.Of(new Model(Spec(model), BatchNormMode.Sync).Sequence.Layers);
        Assert.Equal(expected, string.Join(", ", stages.Select(Text)));

        static string Text(EvaluationStage stage) => $"{stage.First}-{stage.End} {(stage.IsDepthFirst ? $"by {stage.Chunk}" : "whole")}";
    }

    [Fact]
    public void A_deep_model_has_several_stages_so_that_the_weights_of_each_stay_in_cache()
    {
        string block = """{"type":"conv","out":96,"kernel":3,"padding":1},{"type":"relu"},""";
        string layers = string.Concat(Enumerable.Repeat(block, 15));
        string deep = $$"""{"name":"deep","input":[96,4,4],"layers":[{{layers}}{"type":"globalAvgPool"},{"type":"flatten"}]}""";
        IReadOnlyList<EvaluationStage> stages = EvaluationStage.Of(new Model(Spec(deep), BatchNormMode.Sync).Sequence.Layers);
        Assert.Equal([(0, 12), (12, 24), (24, 32)], stages.Select(stage => (stage.First, stage.End)));
        Assert.All(stages, stage => Assert.True(stage.IsDepthFirst));
    }

    private static ModelSpec Spec(string model) => model.StartsWith('{') ? ModelFile.Parse(model) : ModelFile.Load(model);

    private static Network Trained(string model, ThreadTeam team, out LocalTraining training)
    {
        var network = new Network(new Model(Spec(model), BatchNormMode.Sync), team);
        training = new LocalTraining(network, new Sgd { LearningRate = 0.01 }, seed: 1);
        Activation input = network.Input(Batch);
        for (int n = 0; n < Batch; n++)
        {
            for (int c = 0; c < input.Shape.C; c++)
            {
                for (int i = 0; i < input.Shape.Area; i++)
                {
                    input[n, c, i / input.Shape.W, i % input.Shape.W] = (n * 5 + c * 3 + i * (n + 2)) % 11 / 5f - 1;
                }
            }
        }

        Train(training);
        return network;
    }

    private static void Train(LocalTraining training) => training.Step([.. Enumerable.Range(0, Batch).Select(n => n % 4)], [.. Enumerable.Range(0, Batch)]);

    private static float[] LayerByLayer(Network network, ThreadTeam team)
    {
        var step = new StepContext(team, KernelSet.Fast) { Samples = Batch };
        return Nchw.Read(network.Model.Sequence.Forward(network.Input(Batch), step), Batch);
    }
}
