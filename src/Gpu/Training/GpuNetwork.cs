using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Layers;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Training;

/// <summary>
/// Runs a model on a device: the mirror of <see cref="Network"/>. The input goes up, the layers run one after the other, gradient roots come down
/// as they are complete; what the exchange is asked, and when, is as on the processor, but for what nobody waits for. The loss of evaluation is the
/// processor's.
/// </summary>
internal sealed class GpuNetwork : ModelRunner
{
    private readonly SoftmaxCrossEntropy _evaluationLoss;
    private readonly DeviceLoss _loss;
    private readonly DeviceSequence _layers;
    private readonly DeviceStep _step;
    private readonly KernelDevice _device;
    private readonly Action<KernelDevice> _ended;
    private readonly StepInput[] _inputs;
    private Activation? _logits;
    private DeviceTensor? _x;
    private DeviceParameters? _kept;
    private int _current;

    /// <param name="device">For this runner alone.</param>
    /// <param name="ended">Gets it back at the end.</param>
    public GpuNetwork(Model model, ThreadTeam team, KernelDevice device, Action<KernelDevice> ended)
        : base(model, team)
    {
        (_device, _ended) = (device, ended);
        device.Bind();
        _evaluationLoss = new SoftmaxCrossEntropy(model.Classes);
        _loss = new DeviceLoss(device, model.Sequence.Output);
        _layers = new DeviceSequence(model.Sequence, device);
        _step = new DeviceStep(device);
        _inputs = [new StepInput(device, model.Spec.Input), new StepInput(device, model.Spec.Input)];
    }

    public override StepProfile? Profile
    {
        get => (_step.Profile as DeviceProfile)?.Inner;
        set
        {
            _device.Bind();
            _device.Submit();
            _step.Profile = value is null ? null : new DeviceProfile(value, _device);
            _device.Timed = value is null ? null : value.Ran;
        }
    }

    public override bool PreparesAhead => true;

    /// <summary>Parts of passes that the device was handed, and how many of these it has repeated as one.</summary>
    internal (long All, long Repeated) Parts => _device.Parts;

    public override Activation Input(int samples) => _inputs[_current].Reserve(samples);

    public override Activation NextInput(int samples) => _inputs[1 - _current].Reserve(samples);

    public override void AdvanceInput() => _current = 1 - _current;

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

    public override KeptParameters? KeepParameters(OptimizerSpec? optimizer)
    {
        _device.Bind();
        _kept?.Dispose();
        return _kept = optimizer is null ? null : new DeviceParameters(_device, Model, optimizer);
    }

    public override Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices)
    {
        (_step.Training, _step.Plan, _step.Exchange, _step.Samples) = (true, plan, exchange, plan.Samples);
        (_step.Step, _step.Seed, _step.SampleIndices) = (step, seed, sampleIndices);
        if (!BeginStep(plan, exchange))
        {
            return [];
        }

        if (_kept is not null && !plan.HasWholeBatch)
        {
            throw new ArgumentException($"Parameters that are kept need the whole batch; the plan has {plan.Shards.Length} shards.", nameof(plan));
        }

        try
        {
            return Train(plan, labels);
        }
        catch (CudaException e)
        {
            throw Failure(e);
        }
    }

    public override void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics)
    {
        _device.Bind();
        _step.Training = false;
        _step.Kept = null;
        LoadStatistics(statistics);

        _layers.LoadAll(_step);
    }

    public override Activation Predict(int samples)
    {
        _device.Bind();
        _step.Training = false;
        _step.Samples = samples;
        if (_logits is null || _logits.Capacity < samples)
        {
            _logits?.Dispose();
            _logits = new Activation(Model.Sequence.Output, samples);
        }

        try
        {
            _layers.Forward(_inputs[_current].Send(samples, ref _x), _step).Download(_logits, samples);
        }
        catch (CudaException e)
        {
            throw Failure(e);
        }

        return _logits;
    }

    public override Metrics Evaluate(int samples, int[] labels) => _evaluationLoss.Evaluate(Predict(samples), labels, samples);

    public override void Dispose()
    {
        base.Dispose();
        _logits?.Dispose();
        _evaluationLoss.Dispose();
        try
        {
            FreeOnDevice();
        }
        catch (CudaException) when (_device.HasFailed)
        {
            // A card that has failed frees nothing any more; its memory goes with its context.
        }
        finally
        {
            _ended(_device);
        }
    }

    private Metrics[] Train(ShardPlan plan, int[] labels)
    {
        _device.Bind();
        _step.Kept = _kept;
        _step.Downloads.Clear();
        _step.Shards.Load(plan);
        _step.Profile?.Begin(Model.Layers.Count, StepPhase.Load);
        DeviceTensor x = _inputs[_current].Send(plan.Samples, ref _x);
        _step.Profile?.End();
        DeviceTensor logits = _layers.Forward(x, _step);
        _step.Profile?.Begin(Model.Layers.Count, StepPhase.Forward);
        DeviceTensor gradient = _loss.Run(logits, labels, _step);
        _step.Profile?.End();
        _layers.Backward(gradient, _step, needsInputGradient: false);
        _step.Downloads.FlushAll(_step);
        return _loss.Roots;
    }

    private void FreeOnDevice()
    {
        _device.Bind();
        _device.Synchronize();
        Array.ForEach(_inputs, input => input.Dispose());
        _x?.Dispose();
        _loss.Dispose();
        _kept?.Dispose();
        _layers.Dispose();
        _step.Dispose();
        _device.FreeScratch();
        _device.Timed = null;
    }

    private ConvNetException Failure(CudaException e) => new(
        ExitCode.Environment,
        $"{_device.Description} has failed: {e.Message.TrimEnd('.')}. The driver's messages (dmesg) may say why; with CUDA_VISIBLE_DEVICES= before it, " +
        "'convnet resume' computes on the processor.",
        e);
}
