using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using System.Runtime.InteropServices;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// <see cref="BatchNorm"/> on a device: it measures there, and the sums of its shards go through the exchange from the processor, unless this worker has the
/// whole batch (<see cref="WholeBatch"/>).
/// </summary>
internal sealed class DeviceBatchNorm : DeviceLayer
{
    private readonly BatchNorm _norm;
    private readonly NormSets _sets;
    private readonly PlaneSums _sums;
    private readonly DeviceAffineGradients _affine;
    private readonly WholeBatch _whole;
    private readonly ShardReduction<Moments> _moments;
    private readonly ShardReduction<BackwardSums> _totals;
    private readonly List<NormConstants> _constants = [];
    private readonly List<long> _counts = [];
    private readonly float[] _gamma;
    private double[] _leaves = [];
    private DeviceTensor _x = null!;
    private DeviceTensor? _y;
    private DeviceTensor? _pooled;
    private DeviceTensor? _winners;
    private DeviceTensor? _dx;
    private bool _relu;
    private bool _pool;

    public DeviceBatchNorm(KernelDevice device, BatchNorm norm)
        : base(device, norm)
    {
        _norm = norm;
        _sets = Own(new NormSets(device, Output));
        _sums = Own(new PlaneSums(device, Output));
        _whole = Own(new WholeBatch(device, norm, _sets));
        _affine = Own(new DeviceAffineGradients(device, norm.Parameters[0], norm.Parameters[1]));
        int channels = Output.C;
        _gamma = new float[channels];
        _moments = new ShardReduction<Moments>(() => new Moments(0, new double[channels], new double[channels]), Moments.Absorb);
        _totals = new ShardReduction<BackwardSums>(() => new BackwardSums(new double[channels], new double[channels]), BackwardSums.Absorb);
    }

    private Parameter Gamma => _norm.Parameters[0];

    private bool IsSync => _norm.Mode == BatchNormMode.Sync;

    /// <summary>True if the statistics of the batch are those of this worker.</summary>
    private bool IsWhole(DeviceStep step) => IsSync && step.Plan.HasWholeBatch;

    /// <summary>True if this layer's output has gone through the ReLU that follows it; as <see cref="BatchNorm.Applies"/>.</summary>
    public static bool Applies(BatchNorm norm, DeviceStep step) => norm.FeedsReLU && (step.Training || !norm.IsFolded);

    /// <summary>True if it has also gone through the pooling after the ReLU; as <see cref="BatchNorm.Pools"/>.</summary>
    public static bool Pools(BatchNorm norm, DeviceStep step) => norm.FeedsPool is not null && step.Training && Applies(norm, step);

    public override void Load(DeviceStep step)
    {
        _sets.LoadAffine(_norm.Parameters, step);
        Gamma.Values.AsSpan(0, Output.C).CopyTo(_gamma);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        if (!step.Training && _norm.IsFolded)
        {
            return x;
        }

        (_x, _relu, _pool) = (x, Applies(_norm, step), Pools(_norm, step));
        if (step.Training)
        {
            MeasureBatch(x, step);
        }
        else
        {
            TakeRunning(step);
        }

        if (_pool)
        {
            return Pool(x, step);
        }

        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(Normalizing.Forward, step.Samples * x.SampleStride, x.View, y.View, _sets.Views, Output.Area, _relu ? 1 : 0);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        _sums.Sum(_pool ? _winners! : _x, dy, _sets, dy.Shape.Area, _relu, step);
        _sums.Total(step);
        if (IsWhole(step))
        {
            _whole.Backward(_sums, step);
        }
        else
        {
            ReduceTotals(step);
            _sets.Upload(_constants, IsSync ? 1 : step.Shards.Count);
        }

        if (!needsInputGradient)
        {
            return null;
        }

        if (!_pool)
        {
            Device.Run(
                Normalizing.Backward, step.Samples * dy.SampleStride, _x.View, dy.View, dy.View, _sets.Views, Output.Area, _relu ? 1 : 0);
            return dy;
        }

        DeviceTensor dx = Reserve(ref _dx, Output, dy.Capacity);
        Device.Run(
            PooledNormalizing.Backward, step.Samples * dy.SampleStride, _x.View, dy.View, dx.View, _sets.Views, dy.Shape.W, dy.Shape.Area);
        return dx;
    }

    private DeviceTensor Pool(DeviceTensor x, DeviceStep step)
    {
        Engine.Geometry.Shape pooled = _norm.FeedsPool!.Output;
        DeviceTensor y = Reserve(ref _pooled, pooled, x.Capacity);
        DeviceTensor winners = Reserve(ref _winners, pooled, x.Capacity);
        Device.Run(
            PooledNormalizing.Forward, step.Samples * y.SampleStride, x.View, y.View, winners.View, _sets.Views, pooled.W, pooled.Area);
        return y;
    }

    /// <summary>Fills the constants with the statistics of the batch, or of each shard.</summary>
    private void MeasureBatch(DeviceTensor x, DeviceStep step)
    {
        ShardPlan plan = step.Plan;
        _sums.Measure(x, step);
        _sums.Merge(step);
        if (IsWhole(step))
        {
            _whole.Forward(_sums, step);
            _sets.Assign(new int[step.Samples]);
            return;
        }

        Download(step.Shards.Count);
        _moments.Reserve(plan);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            Moments moments = _moments[i];
            Leaf(i).CopyTo(moments.Mean);
            Leaf(plan.Shards.Length + i).CopyTo(moments.M2);
            moments.Count = (long)plan.Shards[i].Count * Output.Area;
        }

        if (IsSync)
        {
            Set(0, step.Exchange.ReduceMoments(_norm.Norm, _moments.Reduce(plan)));
            Publish(1, new int[step.Samples]);
            return;
        }

        for (int i = 0; i < plan.Shards.Length; i++)
        {
            Set(i, _moments[i]);
        }

        Publish(plan.Shards.Length, [.. plan.Shards.SelectMany((shard, i) => Enumerable.Repeat(i, shard.Count))]);
        step.Exchange.ReportMoments(_norm.Norm, _moments.Reduce(plan));
    }

    /// <summary>Running statistics, for all samples.</summary>
    private void TakeRunning(DeviceStep step)
    {
        NormConstants constants = Constants(0);
        for (int c = 0; c < Output.C; c++)
        {
            constants.Set(c, _norm.Running.RunningMean[c], _norm.Running.RunningVar[c], BatchNorm.Epsilon);
        }

        Publish(1, new int[step.Samples]);
    }

    /// <summary>The backward sums of the shards, through the exchange or as ordinary gradients, and the constants that follow from them.</summary>
    private void ReduceTotals(DeviceStep step)
    {
        ShardPlan plan = step.Plan;
        Download(step.Shards.Count);
        _totals.Reserve(plan);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            Leaf(i).CopyTo(_totals[i].Dy);
            Leaf(plan.Shards.Length + i).CopyTo(_totals[i].DyXhat);
        }

        if (IsSync)
        {
            SetBackward(0, step.Exchange.ReduceBackwardSums(_norm.Norm, _totals.Reduce(plan)));
            return;
        }

        if (step.Kept is { } kept)
        {
            kept.Read(Gamma, _gamma);
        }

        for (int i = 0; i < plan.Shards.Length; i++)
        {
            SetBackward(i, _totals[i]);
        }

        _affine.Reduce(_sums, step);
    }

    private void Set(int set, Moments moments)
    {
        NormConstants constants = Constants(set);
        _counts[set] = moments.Count;
        for (int c = 0; c < Output.C; c++)
        {
            constants.Set(c, moments.Mean[c], moments.M2[c] / moments.Count, BatchNorm.Epsilon);
        }
    }

    private void SetBackward(int set, BackwardSums sums)
    {
        long count = _counts[set];
        for (int c = 0; c < Output.C; c++)
        {
            double gamma = _gamma[c];
            _constants[set].SetBackward(c, gamma, gamma * sums.Dy[c] / count, gamma * sums.DyXhat[c] / count);
        }
    }

    private NormConstants Constants(int set)
    {
        while (_constants.Count <= set)
        {
            _constants.Add(new NormConstants(_sets.Lanes));
            _counts.Add(0);
        }

        return _constants[set];
    }

    private void Publish(int sets, int[] setOfSample)
    {
        _sets.Upload(_constants, sets);
        _sets.Assign(setOfSample);
    }

    /// <summary>The leaves of both sums.</summary>
    private void Download(int shards)
    {
        int length = 2 * shards * _sets.Lanes;
        if (_leaves.Length < length)
        {
            _leaves = new double[length];
        }

        _sums.Leaves.Download(MemoryMarshal.Cast<double, Float64>(_leaves.AsSpan(0, length)));
    }

    /// <summary>The channels of row <paramref name="row"/>: of the shards' first sums, then of their second ones.</summary>
    private ReadOnlySpan<double> Leaf(int row) => _leaves.AsSpan(row * _sets.Lanes, Output.C);
}
