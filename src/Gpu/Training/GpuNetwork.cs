using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;

namespace ConvNet.Gpu.Training;

/// <summary>
/// Runs a model on a device: the mirror of <see cref="Network"/>. The input goes up, the layers run one after the other, gradient roots come down
/// as they are complete; what the exchange is asked, and when, is as on the processor. The loss is the processor's.
/// </summary>
internal sealed class GpuNetwork : ModelRunner
{
    private readonly SoftmaxCrossEntropy _loss;
    private readonly DeviceSequence _layers;
    private readonly ShardTable _shards;
    private readonly DeviceStep _step;
    private readonly KernelDevice _device;
    private readonly Action<KernelDevice> _ended;
    private Activation? _logits;
    private DeviceTensor? _deviceInput;
    private DeviceTensor? _deviceGradient;

    /// <param name="device">For this runner alone.</param>
    /// <param name="ended">Gets it back at the end.</param>
    public GpuNetwork(Model model, ThreadTeam team, KernelDevice device, Action<KernelDevice> ended)
        : base(model, team)
    {
        (_device, _ended) = (device, ended);
        device.Bind();
        _loss = new SoftmaxCrossEntropy(model.Classes);
        _layers = new DeviceSequence(model.Sequence, device);
        _shards = new ShardTable(device);
        _step = new DeviceStep(_shards, new GradientRoots(device));
    }

    public override StepProfile? Profile
    {
        get => _step.Profile;
        set => _step.Profile = value;
    }

    public override void DemandMemory(ShardPlan plan)
    {
        long needed = MemoryEstimate.Of(Model, plan.Samples, plan.Shards.Length);
        long room = _device.FreeBytes;
        if (needed - _device.AllocatedBytes > room)
        {
            throw new ConvNetException(
                ExitCode.Resources,
                $"model '{Model.Spec.Name}' with this worker's part of a batch, of {plan.Samples} samples, needs about {needed >> 20} MiB, and " +
                $"{_device.Description} has {(room + _device.AllocatedBytes) >> 20} MiB free. Use a smaller --batch (it changes the result), more workers on " +
                "other devices, or --device cpu.");
        }
    }

    public override Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        (_step.Training, _step.Plan, _step.Exchange, _step.Samples) = (true, plan, exchange, plan.Samples);
        (_step.Step, _step.Seed, _step.SampleIndices) = (step, seed, sampleIndices);
        if (!BeginStep(plan, exchange))
        {
            return [];
        }

        _device.Bind();
        _step.Gradients.Clear();
        _shards.Load(plan);
        Activation logits = Forward(plan.Samples);
        _step.Profile?.Begin(Model.Layers.Count, StepPhase.Forward);
        Metrics[] metrics = _loss.Forward(logits, labels, plan);
        Reserve(ref _deviceGradient, logits.Capacity, Model.Sequence.Output).Upload(_loss.Backward(), plan.Samples);
        _step.Profile?.End();
        _layers.Backward(_deviceGradient!, _step, needsInputGradient: false);
        _step.Gradients.FlushAll(_step);
        return metrics;
    }

    public override void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics)
    {
        _device.Bind();
        _step.Training = false;
        LoadStatistics(statistics);

        _layers.LoadAll(_step);
    }

    public override Activation Predict(int samples)
    {
        _device.Bind();
        _step.Training = false;
        _step.Samples = samples;
        return Forward(samples);
    }

    public override Metrics Evaluate(int samples, int[] labels) => _loss.Evaluate(Predict(samples), labels, samples);

    public override void Dispose()
    {
        _device.Bind();
        _device.Synchronize();
        base.Dispose();
        _logits?.Dispose();
        _loss.Dispose();
        _deviceInput?.Dispose();
        _deviceGradient?.Dispose();
        _layers.Dispose();
        _shards.Dispose();
        _step.Gradients.Dispose();
        _device.FreeScratch();
        _ended(_device);
    }

    /// <summary>The logits of the input's first samples, in the processor's memory.</summary>
    private Activation Forward(int samples)
    {
        Activation input = Input(samples);
        DeviceTensor x = Reserve(ref _deviceInput, input.Capacity, Model.Spec.Input);
        x.Upload(input, samples);
        DeviceTensor y = _layers.Forward(x, _step);
        if (_logits is null || _logits.Capacity < input.Capacity)
        {
            _logits?.Dispose();
            _logits = new Activation(Model.Sequence.Output, input.Capacity);
        }

        y.Download(_logits, samples);
        return _logits;
    }

    private DeviceTensor Reserve(ref DeviceTensor? tensor, int capacity, Engine.Geometry.Shape shape)
    {
        if (tensor is null || tensor.Capacity < capacity)
        {
            tensor?.Dispose();
            tensor = new DeviceTensor(_device, shape, capacity);
        }

        return tensor;
    }
}
