using System.Runtime.InteropServices;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Optimizers;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// A model's parameters in the memory of a device, with gradients and slots: each kind in one piece, in which tensors follow each other, padded to whole
/// blocks with zeros, so that one launch updates all.
/// </summary>
internal sealed class DeviceParameters : KeptParameters, IDisposable
{
    private readonly KernelDevice _device;
    private readonly OptimizerSpec _optimizer;
    private readonly IReadOnlyList<Parameter> _tensors;
    private readonly Dictionary<Parameter, int> _offsets = [];
    private readonly int _length;
    private readonly DeviceBuffer<Float32> _values;
    private readonly DeviceBuffer<Float32> _gradients;
    private readonly DeviceBuffer<Float32>[] _slots;
    private readonly DeviceBuffer<Float32> _rates;
    private readonly DeviceBuffer<UpdateNumbers> _numbers;
    private bool _isDisposed;

    public DeviceParameters(KernelDevice device, Model model, OptimizerSpec optimizer)
    {
        (_device, _optimizer, _tensors) = (device, optimizer, model.Parameters);
        foreach (Parameter tensor in _tensors)
        {
            _offsets.Add(tensor, _length);
            _length = checked(_length + (tensor.BlockCount * Parameter.BlockSize));
        }

        _values = new DeviceBuffer<Float32>(device, "parameters").Reserve(_length);
        _gradients = new DeviceBuffer<Float32>(device, "gradients").Reserve(_length);
        _slots = [.. optimizer.SlotNames.Select(name => new DeviceBuffer<Float32>(device, $"parameters' {name}"))];
        _rates = new DeviceBuffer<Float32>(device, "rates of tensors");
        _numbers = new DeviceBuffer<UpdateNumbers>(device, "numbers of the update").Reserve(1);
    }

    /// <summary>Padded to whole blocks with zeros.</summary>
    public ArrayView<Float32> Values(Parameter tensor) => Part(_values, tensor);

    /// <summary>Where the gradient over the whole batch is to be left; what follows it up to whole blocks is zero, and stays so.</summary>
    public ArrayView<Float32> Gradient(Parameter tensor) => Part(_gradients, tensor).SubView(0, tensor.Count);

    public override void Load()
    {
        Begin();
        foreach (Parameter tensor in _tensors)
        {
            _values.Upload(MemoryMarshal.Cast<float, Float32>(tensor.Values), _offsets[tensor]);
        }

        foreach (DeviceBuffer<Float32> slot in _slots)
        {
            // New memory is zero.
            slot.Dispose();
            slot.Reserve(_length);
        }
    }

    public override void Update(StepSettings settings)
    {
        Begin();

        // Gradients may be under way aside.
        _device.Submit();
        _numbers.Upload([_optimizer.Numbers(settings)]);
        switch (_optimizer)
        {
            case Sgd { Momentum: 0 }:
                _device.Run(Updates.Descend, _length, _values.View, _gradients.View, _numbers.View);
                break;
            case Sgd sgd:
                _device.Run(
                    Updates.DescendWithMomentum, _length, _values.View, _gradients.View, _slots[0].View, _numbers.View, sgd.Nesterov ? 1 : 0);
                break;
            case AdamFamily:
                _device.Run(Updates.Adapt, _length, _values.View, _gradients.View, _slots[0].View, _slots[1].View, _numbers.View);
                break;
            case Lars:
                _rates.Reserve(_length / Parameter.BlockSize).Upload(
                    [.. _tensors.Index().SelectMany(tensor => Enumerable.Repeat(new Float32(settings.TensorRate(tensor.Index)), tensor.Item.BlockCount))]);
                _device.Run(Updates.Scale, _length, _values.View, _gradients.View, _slots[0].View, _rates.View, _numbers.View);
                break;
            default:
                throw new NotSupportedException($"{_optimizer.GetType().Name} has no kernel.");
        }

        _device.Submit();
    }

    public override void Read()
    {
        Begin();
        foreach (Parameter tensor in _tensors)
        {
            Read(tensor, tensor.Values);
        }
    }

    /// <summary>Brings the values of one tensor, after all that has been launched before, and waits.</summary>
    public void Read(Parameter tensor, Span<float> values) => _values.Download(MemoryMarshal.Cast<float, Float32>(values), _offsets[tensor]);

    public void Dispose()
    {
        _values.Dispose();
        _gradients.Dispose();
        Array.ForEach(_slots, slot => slot.Dispose());
        _rates.Dispose();
        _numbers.Dispose();
        _isDisposed = true;
    }

    /// <exception cref="ObjectDisposedException">Another training has begun with the runner.</exception>
    private void Begin()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _device.Bind();
    }

    private ArrayView<Float32> Part(DeviceBuffer<Float32> all, Parameter tensor) =>
        all.View.SubView(_offsets[tensor], tensor.BlockCount * Parameter.BlockSize);
}
