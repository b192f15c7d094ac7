using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Layers;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Runs a few layers by themselves, split over workers and data shards as asked.</summary>
internal sealed class LayerRun(Shape input, Func<ModelBuilder, LayerSequence> build, KernelSet kernels, int dataShards = 1, int workers = 1)
{
    private const int Threads = 2;

    public static LayerRun Of(IReadOnlyList<LayerSpec> specs, Shape input, KernelSet kernels, int dataShards = 1, int workers = 1) =>
        new(input, builder => builder.Build(specs, "", input), kernels, dataShards, workers);

    /// <summary>Output only.</summary>
    public float[] Forward(int batch, float[] x, ParameterSource parameters)
    {
        LayerSequence layers = build(new ModelBuilder(BatchNormMode.Sync));
        using var team = new ThreadTeam(1);
        var tree = new ShardTree(batch, dataShards);
        var plan = new ShardPlan(tree, 0, dataShards);
        StepContext step = Context(team, layers, plan, new LocalHub(tree, Source(parameters)));
        using Activation activation = Nchw.From(input, x);
        return Nchw.Read(layers.Forward(activation, step), batch);
    }

    /// <summary>Forward, then backward.</summary>
    /// <param name="dy">Output gradient of the whole batch; it is given a worker's own output, which is all of it if there is one worker.</param>
    public LayerResult Train(int batch, float[] x, Func<float[], float[]> dy, ParameterSource parameters)
    {
        var tree = new ShardTree(batch, dataShards);
        var hub = new LocalHub(tree, Source(parameters));
        var runs = new WorkerRun[workers];
        for (int worker = 0; worker < workers; worker++)
        {
            LayerSequence layers = build(new ModelBuilder(BatchNormMode.Sync));
            var plan = new ShardPlan(tree, worker * dataShards / workers, (worker + 1) * dataShards / workers);
            runs[worker] = new WorkerRun(layers, plan, hub);
        }

        RunAll([.. runs.Where(run => run.Plan.Samples > 0)], run => run.Train(x, dy, this));
        Assert.True(hub.IsIdle, "Not every gradient arrived from every worker.");
        BatchNorm[] norms = [.. runs[0].Layers.Walk().OfType<BatchNorm>()];
        return new LayerResult(
            [.. runs.SelectMany(run => run.Y)],
            [.. runs.SelectMany(run => run.Dx)],
            hub.Gradients,
            hub.BatchMoments.ToDictionary(moments => norms[moments.Key].Name, moments => moments.Value));
    }

    private static Action<Parameter> Source(ParameterSource parameters) =>
        parameter => parameters(parameter.Name, parameter.Count).CopyTo(parameter.Values, 0);

    private static void RunAll(WorkerRun[] runs, Action<WorkerRun> body)
    {
        if (runs.Length == 1)
        {
            body(runs[0]);
            return;
        }

        var failures = new Exception?[runs.Length];
        Thread[] threads = [.. runs.Select((run, i) => new Thread(() => failures[i] = Record.Exception(() => body(run))))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(failures, Assert.Null);
    }

    private static ReadOnlySpan<float> Own(ShardPlan plan, Shape shape, float[] batch) =>
        batch.AsSpan(plan.FirstBatchPosition * shape.Count, plan.Samples * shape.Count);

    private StepContext Context(ThreadTeam team, LayerSequence layers, ShardPlan plan, LocalHub hub) =>
        new(team, kernels)
        {
            Training = true,
            Plan = plan,
            Exchange = hub.Worker(plan, [.. layers.Walk().OfType<BatchNorm>()]),
            Samples = plan.Samples,
            Seed = 1,
            SampleIndices = [.. Enumerable.Range(plan.FirstBatchPosition, plan.Samples)],
        };

    private sealed class WorkerRun(LayerSequence layers, ShardPlan plan, LocalHub hub)
    {
        public LayerSequence Layers => layers;

        public ShardPlan Plan => plan;

        public float[] Y { get; private set; } = [];

        public float[] Dx { get; private set; } = [];

        public void Train(float[] x, Func<float[], float[]> dy, LayerRun run)
        {
            using var team = new ThreadTeam(Threads);
            StepContext step = run.Context(team, layers, plan, hub);
            foreach (Parameter parameter in layers.Walk().SelectMany(layer => layer.Parameters))
            {
                parameter.ReserveRoots(plan.Roots.Length);
            }

            using Activation input = Nchw.From(layers.Input, Own(plan, layers.Input, x));
            Activation y = layers.Forward(input, step);
            Y = Nchw.Read(y, plan.Samples);
            Assert.True(Nchw.PaddingIsZero(y, plan.Samples), "Forward left values in padding lanes.");
            using Activation gradient = Nchw.From(layers.Output, Own(plan, layers.Output, dy(Y)));
            Activation dx = layers.Backward(gradient, step, needsInputGradient: true)!;
            Dx = Nchw.Read(dx, plan.Samples);
            Assert.True(Nchw.PaddingIsZero(dx, plan.Samples), "Backward left values in padding lanes.");
        }
    }
}
