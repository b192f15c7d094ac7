using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>A step's shards, and the order of additions of its plan, in the memory of a device.</summary>
public sealed class ShardTable : IDisposable
{
    private readonly DeviceBuffer<int> _firstSamples;
    private readonly DeviceBuffer<int> _shardOfSample;
    private readonly DeviceBuffer<int> _additions;
    private readonly List<int> _program = [];
    private ShardPlan? _plan;
    private int[] _rootLeaves = [];

    internal ShardTable(KernelDevice device)
    {
        _firstSamples = new DeviceBuffer<int>(device, "shards");
        _shardOfSample = new DeviceBuffer<int>(device, "shards");
        _additions = new DeviceBuffer<int>(device, "shards");
    }

    /// <summary>Shards of the plan.</summary>
    public int Count { get; private set; }

    /// <summary>Count + 1 numbers: samples First[i] … First[i + 1] − 1 are the i-th shard's.</summary>
    public ArrayView<int> First => _firstSamples.View;

    /// <summary>For each sample the place of its shard in the plan.</summary>
    public ArrayView<int> OfSample => _shardOfSample.View;

    /// <summary>What turns leaves into roots.</summary>
    internal Additions Additions => new(_additions.View, _program.Count / 4, _plan!.Samples);

    /// <summary>For each root the leaf that holds it after the additions.</summary>
    public IReadOnlyList<int> RootLeaves => _rootLeaves;

    /// <summary>Takes over the plan of a step with at least one sample.</summary>
    internal void Load(ShardPlan plan)
    {
        if (ReferenceEquals(plan, _plan))
        {
            return;
        }

        _plan = plan;
        Count = plan.Shards.Length;
        int[] first = [.. plan.Shards.Select(shard => shard.First), plan.Samples];
        int[] shards = [.. plan.Shards.SelectMany((shard, i) => Enumerable.Repeat(i, shard.Count))];
        _firstSamples.Reserve(first.Length).Upload(first);
        _shardOfSample.Reserve(shards.Length).Upload(shards);
        LoadProgram(plan);
        _additions.Reserve(Math.Max(1, _program.Count)).Upload(_program.ToArray());
    }

    public void Dispose()
    {
        _firstSamples.Dispose();
        _shardOfSample.Dispose();
        _additions.Dispose();
    }

    /// <summary>The stack of <see cref="GradientTree"/>, each place of which is a leaf.</summary>
    private void LoadProgram(ShardPlan plan)
    {
        _program.Clear();
        _rootLeaves = new int[plan.Roots.Length];
        var stack = new Stack<(int Leaf, int Samples)>();
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            stack.Push((i, plan.Shards[i].Count));
            for (int combines = plan.Shards[i].Combines; combines > 0; combines--)
            {
                (int right, int rightSamples) = stack.Pop();
                (int left, int leftSamples) = stack.Pop();
                _program.AddRange([left, right, leftSamples, rightSamples]);
                stack.Push((left, leftSamples + rightSamples));
            }

            if (plan.Shards[i].Root >= 0)
            {
                _rootLeaves[plan.Shards[i].Root] = stack.Pop().Leaf;
            }
        }
    }
}
