using System.Runtime.InteropServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Loss;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// <see cref="SoftmaxCrossEntropy"/> of training on a device: losses and gradients of samples there, so that backward begins at once; their sums over
/// shards on the processor, when all else is there.
/// </summary>
internal sealed class DeviceLoss : IDownload, IDisposable
{
    private readonly KernelDevice _device;
    private readonly Shape _shape;
    private readonly DeviceBuffer<int> _labels;
    private readonly DeviceBuffer<int> _winners;
    private readonly DeviceBuffer<Float64> _exponentials;
    private readonly DeviceBuffer<Float64> _totals;
    private readonly DeviceBuffer<Float64> _losses;
    private readonly PinnedMemory<int> _winnersHere;
    private readonly PinnedMemory<Float64> _lossesHere;
    private readonly ShardReduction<Metrics> _metrics = new(() => default, Metrics.Combine);
    private DeviceTensor? _gradient;
    private int[] _expected = [];

    /// <param name="logits">(classes, 1, 1).</param>
    public DeviceLoss(KernelDevice device, Shape logits)
    {
        (_device, _shape) = (device, logits);
        _labels = new DeviceBuffer<int>(device, "labels");
        _winners = new DeviceBuffer<int>(device, "classes");
        _exponentials = new DeviceBuffer<Float64>(device, "exponentials");
        _totals = new DeviceBuffer<Float64>(device, "losses");
        _losses = new DeviceBuffer<Float64>(device, "losses");
        (_winnersHere, _lossesHere) = (new PinnedMemory<int>(device), new PinnedMemory<Float64>(device));
    }

    public long Bytes => _expected.Length * (sizeof(int) + sizeof(double));

    /// <summary>For each root of the last step's plan, once its downloads have been handed on; valid until the next step.</summary>
    public Metrics[] Roots { get; private set; } = [];

    /// <summary>∂(mean loss of the global batch)/∂logits.</summary>
    /// <param name="labels">Class of each sample.</param>
    /// <exception cref="Engine.Errors.ConvNetException">A label is none of the classes (exit code 3).</exception>
    public DeviceTensor Run(DeviceTensor logits, int[] labels, DeviceStep step)
    {
        SoftmaxCrossEntropy.DemandClasses(labels, _shape.C);
        int samples = step.Samples;
        (_expected, int lanes) = (labels, logits.SampleStride);
        var classes = new Classes(_shape.C, lanes);
        DeviceTensor gradient = DeviceTensor.Reserve(ref _gradient, _device, _shape, logits.Capacity);
        _labels.Reserve(samples).Upload(labels);
        _winners.Reserve(samples);
        _exponentials.Reserve((long)samples * _shape.C);
        _totals.Reserve(samples);
        _losses.Reserve(samples);
        _device.Run(CrossEntropy.Winners, samples, logits.View, _winners.View, _shape.C, lanes);
        _device.Run(
            CrossEntropy.Exponentials, checked(samples * _shape.C), logits.View, _winners.View, _exponentials.View, _shape.C, lanes);
        _device.Run(
            CrossEntropy.Losses, samples, logits.View, _labels.View, _winners.View, _exponentials.View, _totals.View, _losses.View, classes);
        _device.Run(
            CrossEntropy.Gradients,
            checked(samples * lanes),
            _labels.View,
            _exponentials.View,
            _totals.View,
            gradient.View,
            classes,
            1.0 / step.Plan.Tree.Batch);
        _winnersHere.Receive(samples, _winners.View.SubView(0, samples));
        _lossesHere.Receive(samples, _losses.View.SubView(0, samples));
        step.Downloads.Add(this, step);
        return gradient;
    }

    public void HandOn(DeviceStep step)
    {
        ShardPlan plan = step.Plan;
        ReadOnlySpan<double> losses = MemoryMarshal.Cast<Float64, double>(_lossesHere.Span(step.Samples));
        ReadOnlySpan<int> winners = _winnersHere.Span(step.Samples);
        _metrics.Reserve(plan);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            double loss = 0;
            long correct = 0;
            for (int n = plan.Shards[i].First; n < plan.Shards[i].End; n++)
            {
                loss += losses[n];
                correct += winners[n] == _expected[n] ? 1 : 0;
            }

            _metrics[i] = new Metrics(loss, correct, plan.Shards[i].Count);
        }

        Roots = _metrics.Reduce(plan);
    }

    public void Dispose()
    {
        _labels.Dispose();
        _winners.Dispose();
        _exponentials.Dispose();
        _totals.Dispose();
        _losses.Dispose();
        _winnersHere.Dispose();
        _lossesHere.Dispose();
        _gradient?.Dispose();
    }
}
