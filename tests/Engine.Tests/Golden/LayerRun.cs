using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
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
        StepContext step = Context(team, plan, new LocalHub(tree, Source(parameters)).Worker(plan));
        using Activation activation = Volume.From(input, x, 0, batch);
        return Volume.Read(layers.Forward(activation, step), batch);
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
        var gradients = new Dictionary<string, float[]>();
        var moments = new Dictionary<string, Moments>();
        int norm = 0;
        foreach ((Layer layer, int index) in runs[0].Layers.Walk().Select((layer, index) => (layer, index)))
        {
            if (layer is BatchNorm)
            {
                moments[layer.Name] = hub.Moments(norm);
                gradients[layer.Parameters[0].Name] = [.. hub.BackwardSums(norm).DyXhat.Select(value => (float)value)];
                gradients[layer.Parameters[1].Name] = [.. hub.BackwardSums(norm).Dy.Select(value => (float)value)];
                norm++;
                continue;
            }

            for (int p = 0; p < layer.Parameters.Count; p++)
            {
                gradients[layer.Parameters[p].Name] =
                    hub.Gradient(runs.Select(run => (run.Plan, run.Layers.Walk().ElementAt(index).Parameters[p])));
            }
        }

        return new LayerResult([.. runs.SelectMany(run => run.Y)], [.. runs.SelectMany(run => run.Dx)], gradients, moments);
    }

    private static Func<Parameter, float[]> Source(ParameterSource parameters) => parameter => parameters(parameter.Name, parameter.Count);

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

    private StepContext Context(ThreadTeam team, ShardPlan plan, StepExchange exchange) =>
        new(team, kernels)
        {
            Training = true,
            Plan = plan,
            Exchange = exchange,
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
            StepContext step = run.Context(team, plan, hub.Worker(plan));
            foreach (Parameter parameter in layers.Walk().SelectMany(layer => layer.Parameters))
            {
                parameter.ReserveRoots(plan.Roots.Length);
            }

            using Activation input = Volume.From(layers.Input, x, plan.FirstBatchPosition, plan.Samples);
            Activation y = layers.Forward(input, step);
            Y = Volume.Read(y, plan.Samples);
            Assert.False(Volume.HasDirtyPadding(y, plan.Samples), "Forward left values in padding lanes.");
            using Activation gradient = Volume.From(layers.Output, dy(Y), plan.FirstBatchPosition, plan.Samples);
            Activation dx = layers.Backward(gradient, step, needsInputGradient: true)!;
            Dx = Volume.Read(dx, plan.Samples);
            Assert.False(Volume.HasDirtyPadding(dx, plan.Samples), "Backward left values in padding lanes.");
        }
    }
}
