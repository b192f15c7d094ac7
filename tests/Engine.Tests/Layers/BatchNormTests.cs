using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class BatchNormTests
{
    private const int Batch = 11;
    private const float Gamma = 1.5f;
    private const float Beta = 0.25f;
    private static readonly Shape Volume = new(10, 9, 9);

    [Theory]
    [InlineData(0.0, 1.0, KernelSet.Fast)]
    [InlineData(1e4, 1.0, KernelSet.Fast)]
    [InlineData(1e4, 1.0, KernelSet.Reference)]
    [InlineData(-3.0, 50.0, KernelSet.Fast)]
    public void Over_uneven_shards_it_agrees_with_float64_over_the_whole_batch(double mean, double deviation, KernelSet kernels)
    {
        using var team = new ThreadTeam(2);
        float[] x = Normal(Batch * Volume.Count, 1, mean, deviation);
        float[] dy = Normal(Batch * Volume.Count, 2, 0, 1);
        (float[] y, float[] dx, IReadOnlyDictionary<string, float[]> gradients) = Train(x, dy, kernels, team);
        float[] gamma = [.. Enumerable.Repeat(Gamma, Volume.C)], beta = [.. Enumerable.Repeat(Beta, Volume.C)];
        var oracle = new BatchNormOracle(Volume, Batch, x, dy, gamma, beta);
        AssertClose(oracle.Y, y, 1e-4);
        AssertClose(oracle.Dx, dx, 1e-4);
        AssertClose(oracle.DGamma, gradients["0.weight"], 1e-4);
        AssertClose(oracle.DBeta, gradients["0.bias"], 1e-4);
    }

    [Theory]
    [InlineData("""{"type":"conv","out":20,"kernel":3,"padding":1,"bias":true}""")]
    [InlineData("""{"type":"conv","out":20,"kernel":1}""")]
    [InlineData("""{"type":"flatten"},{"type":"fullyConnected","out":20}""")]
    public void Folding_into_the_layer_before_equals_the_two_layers_within_rounding(string layer)
    {
        using var team = new ThreadTeam(1);
        foreach (string next in new[] { "", """,{"type":"relu"}""" })
        {
            float[] folded = Evaluate($$"""{{layer}},{"type":"batchNorm"}{{next}}""", team);
            float[] separate = Evaluate($$"""{{layer}},{"type":"dropout"},{"type":"batchNorm"}{{next}}""", team);
            Assert.NotEqual(separate, folded);
            AssertClose([.. separate.Select(value => (double)value)], folded, 1e-5);
        }
    }

    [Fact]
    public void The_ReLU_that_follows_costs_no_bit()
    {
        using var team = new ThreadTeam(1);
        const string Norm = """{"type":"conv","out":12,"kernel":3},{"type":"batchNorm"}""";
        var fused = new LayerProbe($$"""{{Norm}},{"type":"relu"}""", Volume, 6, BatchNormMode.Sync, KernelSet.Fast, team);
        var apart = new LayerProbe($$"""{{Norm}},{"type":"dropout","rate":0},{"type":"relu"}""", Volume, 6, BatchNormMode.Sync, KernelSet.Fast, team);
        fused.Run();
        apart.Run();
        Assert.Equal(0, fused.Difference(apart));
    }

    [Fact]
    public void Evaluation_of_a_sample_does_not_depend_on_its_neighbours()
    {
        using var team = new ThreadTeam(2);
        using var network = new Network(new Model(ModelFile.Load("resnet20"), BatchNormMode.Sync), team);
        var exchange = new LocalExchange(network);
        exchange.Initialize(3);
        exchange.PrepareEvaluation();
        float[] x = Normal(4 * network.Model.Spec.Input.Count, 4, 0, 1);
        Nchw.Store(x, network.Input(4));
        float[] together = Nchw.Read(network.Predict(4), 4);
        Nchw.Store(x[(3 * network.Model.Spec.Input.Count)..], network.Input(4));
        float[] alone = Nchw.Read(network.Predict(1), 1);
        Assert.Equal(together[30..], alone);
        Assert.True(alone.Distinct().Count() > 1);
    }

    [Theory]
    [InlineData(BatchNormMode.Sync)]
    [InlineData(BatchNormMode.Shard)]
    public void Evaluation_that_cannot_fold_forgets_the_shards_of_the_last_training_step(BatchNormMode mode)
    {
        const string Json = """
            {"name":"p","input":[1,8,8],"layers":[{"type":"maxPool","size":2,"stride":2},{"type":"batchNorm"},
            {"type":"residual","main":[{"type":"batchNorm"},{"type":"relu"}]},{"type":"flatten"},{"type":"fullyConnected","out":4}]}
            """;
        using var team = new ThreadTeam(1);
        using var trained = new Network(new Model(ModelFile.Parse(Json), mode), team);
        using var fresh = new Network(new Model(ModelFile.Parse(Json), mode), team);
        var training = new LocalExchange(trained);
        training.Initialize(1);
        FillRamp(trained.Input(8));
        training.TrainStep(new ShardPlan(new ShardTree(8, 4), 0, 4), 0, 1, new int[8], [.. Enumerable.Range(0, 8)]);
        var untrained = new LocalExchange(fresh);
        untrained.Initialize(1);
        Assert.Equal(Logits(fresh, untrained), Logits(trained, training));
    }

    private static float[] Logits(Network network, LocalExchange exchange)
    {
        exchange.PrepareEvaluation();
        FillRamp(network.Input(8));
        Activation logits = network.Predict(8);
        return [.. from n in Enumerable.Range(0, 8) from k in Enumerable.Range(0, network.Model.Classes) select logits[n, k, 0, 0]];
    }

    private static void FillRamp(Activation x)
    {
        for (int i = 0; i < 8 * 64; i++)
        {
            x[i / 64, 0, i / 8 % 8, i % 8] = 3 * (i / 64) + (7 * (i / 8 % 8) + 5 * (i % 8)) % 11;
        }
    }

    private static (float[] Y, float[] Dx, IReadOnlyDictionary<string, float[]> Gradients) Train(float[] x, float[] dy, KernelSet kernels, ThreadTeam team)
    {
        LayerSequence layers = new ModelBuilder(BatchNormMode.Sync).Build([new BatchNormSpec()], "", Volume);
        var plan = new ShardPlan(new ShardTree(Batch, 4), 0, 4);
        var norm = (BatchNorm)layers.Layers[0];
        var hub = new LocalHub(plan.Tree, _ => { });
        var step = new StepContext(team, kernels) { Training = true, Plan = plan, Exchange = hub.Worker(plan, [norm]), Samples = Batch };
        norm.Parameters[0].Values.AsSpan(0, Volume.C).Fill(Gamma);
        norm.Parameters[1].Values.AsSpan(0, Volume.C).Fill(Beta);
        float[] y = Nchw.Read(layers.Forward(Nchw.From(Volume, x), step), Batch);
        float[] dx = Nchw.Read(layers.Backward(Nchw.From(Volume, dy), step, true)!, Batch);
        return (y, dx, hub.Gradients);
    }

    private static float[] Evaluate(string layers, ThreadTeam team)
    {
        string json = $$"""{"name":"fold","input":[6,7,7],"layers":[{{layers}},{"type":"globalAvgPool"}]}""";
        using var network = new Network(new Model(ModelFile.Parse(json), BatchNormMode.Sync), team);
        foreach (Parameter parameter in network.Model.Parameters)
        {
            Normal(parameter.Count, 20 + parameter.Count, 0.5, 1).CopyTo(parameter.Values, 0);
        }

        network.PrepareEvaluation([new BatchNormState("norm", Normal(20, 5, 0, 1), [.. Normal(20, 6, 0, 1).Select(v => v * v + 0.1f)])]);
        Nchw.Store(Normal(3 * 6 * 49, 7, 0, 1), network.Input(3));
        return Nchw.Read(network.Predict(3), 3);
    }

    private static float[] Normal(int count, int seed, double mean, double deviation)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
            (float)(mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(Math.Abs);
        double worst = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
        Assert.True(worst <= tolerance * largest, $"off by {worst}, largest {largest}");
    }
}
