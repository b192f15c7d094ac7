using System.Runtime.InteropServices;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// A batch norm's statistics when all samples of the step are on this device: it puts them together by itself and goes on at once, and the exchange
/// hears of them later, as of gradients.
/// </summary>
internal sealed class WholeBatch : IDisposable
{
    private readonly KernelDevice _device;
    private readonly BatchNorm _norm;
    private readonly NormSets _sets;
    private readonly MomentsDownload _moments;
    private readonly SumsDownload _totals;

    /// <param name="sets">Its first set gets the constants.</param>
    public WholeBatch(KernelDevice device, BatchNorm norm, NormSets sets)
    {
        (_device, _norm, _sets) = (device, norm, sets);
        _moments = new MomentsDownload(device, norm);
        _totals = new SumsDownload(device, norm);
    }

    /// <param name="sums">Has the leaves of moments, which are used up.</param>
    public void Forward(PlaneSums sums, DeviceStep step)
    {
        _sets.Reserve(1);
        _device.Run(
            BatchStatistics.Forward,
            _norm.Output.C,
            sums.Leaves.View,
            step.Shards.Additions,
            _sets.Views.Constants,
            step.Shards.Count,
            _sets.Lanes,
            _norm.Output.Area);
        _moments.Copy(sums);
        step.Downloads.Add(_moments, step);
    }

    /// <param name="sums">Has the leaves of backward sums, which are used up.</param>
    public void Backward(PlaneSums sums, DeviceStep step)
    {
        _device.Run(
            BatchStatistics.Backward, _norm.Output.C, sums.Leaves.View, step.Shards.Additions, _sets.Views, step.Shards.Count, _norm.Output.Area);
        if (step.Kept is { } kept)
        {
            // Totals round to the gradients of scale and shift, as whoever updates them does otherwise.
            Round(sums.SecondLeaves, kept.Gradient(_norm.Parameters[0]));
            Round(sums.FirstLeaves, kept.Gradient(_norm.Parameters[1]));
            return;
        }

        _totals.Copy(sums);
        step.Downloads.Add(_totals, step);
    }

    public void Dispose()
    {
        _moments.Dispose();
        _totals.Dispose();
    }

    private void Round(ArrayView<Float64> totals, ArrayView<Float32> gradient) =>
        _device.Run(ShardStatistics.Round, _norm.Output.C, totals, gradient, _sets.Lanes, _norm.Output.C);

    /// <summary>Two doubles for each channel.</summary>
    private abstract class RootDownload(KernelDevice device, BatchNorm norm) : IDownload, IDisposable
    {
        private readonly PinnedMemory<Float64> _memory = new(device);

        public long Bytes => 2 * Channels * sizeof(double);

        protected BatchNorm Norm { get; } = norm;

        protected int Channels => Norm.Output.C;

        public void Copy(PlaneSums sums)
        {
            _memory.Receive(2 * Channels, sums.FirstLeaves.SubView(0, Channels));
            _memory.Receive(2 * Channels, sums.SecondLeaves.SubView(0, Channels), at: Channels);
        }

        public abstract void HandOn(DeviceStep step);

        public void Dispose() => _memory.Dispose();

        protected void CopyTo(double[] first, double[] second)
        {
            ReadOnlySpan<double> values = MemoryMarshal.Cast<Float64, double>(_memory.Span(2 * Channels));
            values[..Channels].CopyTo(first);
            values[Channels..].CopyTo(second);
        }
    }

    private sealed class MomentsDownload(KernelDevice device, BatchNorm norm) : RootDownload(device, norm)
    {
        private readonly Moments[] _roots = [new Moments(0, new double[norm.Output.C], new double[norm.Output.C])];

        public override void HandOn(DeviceStep step)
        {
            _roots[0].Count = (long)step.Samples * Norm.Output.Area;
            CopyTo(_roots[0].Mean, _roots[0].M2);
            step.Exchange.ReportMoments(Norm.Norm, _roots);
        }
    }

    private sealed class SumsDownload(KernelDevice device, BatchNorm norm) : RootDownload(device, norm)
    {
        private readonly BackwardSums[] _roots = [new BackwardSums(new double[norm.Output.C], new double[norm.Output.C])];

        public override void HandOn(DeviceStep step)
        {
            CopyTo(_roots[0].Dy, _roots[0].DyXhat);
            step.Exchange.ReportBackwardSums(Norm.Norm, _roots);
        }
    }
}
