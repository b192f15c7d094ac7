using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The runs in which the units of each shard, pixels or tiles, are summed; here and in the memory of a device.</summary>
/// <param name="unitsPerSample">Units are numbered through over all samples.</param>
/// <param name="groupSamples">Samples, counted from the shard's first, whose units are cut into runs together.</param>
/// <param name="runUnits">Units of a run.</param>
internal sealed class RunTable(KernelDevice device, int unitsPerSample, int groupSamples, int runUnits) : IDisposable
{
    private readonly DeviceBuffer<int> _runs = new(device, "runs");
    private readonly DeviceBuffer<int> _shards = new(device, "runs");
    private readonly DeviceBuffer<int> _numbers = new(device, "runs");
    private readonly List<int> _firstUnits = [];
    private readonly List<int> _firstRuns = [];
    private ShardPlan? _plan;

    /// <summary>The unit at which each run begins, and one entry more.</summary>
    public IReadOnlyList<int> FirstUnits => _firstUnits;

    /// <summary>For each shard of the plan its first run, and one entry more.</summary>
    public IReadOnlyList<int> FirstRuns => _firstRuns;

    public int Count => _firstUnits.Count - 1;

    /// <summary><see cref="FirstUnits"/> on the device.</summary>
    public ArrayView<int> Runs => _runs.View;

    /// <summary><see cref="FirstRuns"/> on the device.</summary>
    public ArrayView<int> Shards => _shards.View;

    /// <summary>0, 1, 2, …: what <see cref="Shards"/> would be if each run were a shard.</summary>
    public ArrayView<int> Numbers => _numbers.View;

    public void Load(ShardPlan plan)
    {
        if (ReferenceEquals(plan, _plan))
        {
            return;
        }

        _plan = plan;
        _firstUnits.Clear();
        _firstRuns.Clear();
        foreach (LocalShard shard in plan.Shards)
        {
            _firstRuns.Add(_firstUnits.Count);
            AddShard(shard);
        }

        _firstRuns.Add(_firstUnits.Count);
        _firstUnits.Add(checked(plan.Samples * unitsPerSample));
        _runs.Reserve(_firstUnits.Count).Upload([.. _firstUnits]);
        _shards.Reserve(_firstRuns.Count).Upload([.. _firstRuns]);
        _numbers.Reserve(_firstUnits.Count).Upload([.. Enumerable.Range(0, _firstUnits.Count)]);
    }

    public void Dispose()
    {
        _runs.Dispose();
        _shards.Dispose();
        _numbers.Dispose();
    }

    private void AddShard(in LocalShard shard)
    {
        int end = checked(shard.End * unitsPerSample);
        long group = (long)Math.Min(groupSamples, shard.Count) * unitsPerSample;
        for (long first = (long)shard.First * unitsPerSample; first < end; first += group)
        {
            for (long unit = first; unit < Math.Min(end, first + group); unit += runUnits)
            {
                _firstUnits.Add((int)unit);
            }
        }
    }
}
