using System.Runtime.InteropServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>The constants of a normalization in the device's memory: sets of statistics, which set is a sample's, γ and β.</summary>
internal sealed class NormSets : IDisposable
{
    private readonly DeviceBuffer<Float32> _constants;
    private readonly DeviceBuffer<Float32> _gammas;
    private readonly DeviceBuffer<Float32> _betas;
    private readonly DeviceBuffer<int> _sets;
    private readonly Shape _shape;
    private ArrayView<Float32> _gamma;
    private ArrayView<Float32> _beta;
    private float[] _packed = [];
    private int[] _setOfSample = [];

    public NormSets(KernelDevice device, Shape shape)
    {
        _shape = shape;
        _constants = new DeviceBuffer<Float32>(device, "constants of normalization");
        _gammas = new DeviceBuffer<Float32>(device, "parameters of normalization").Reserve(Lanes);
        _betas = new DeviceBuffer<Float32>(device, "parameters of normalization").Reserve(Lanes);
        _sets = new DeviceBuffer<int>(device, "sets of samples");
    }

    /// <summary>Channels rounded up to whole blocks.</summary>
    public int Lanes => _shape.Blocks * 8;

    public NormViews Views => new(_constants.View, _gamma, _beta, _sets.View, Lanes);

    public void LoadAffine(ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta)
    {
        _gammas.Upload(MemoryMarshal.Cast<float, Float32>(gamma[.._shape.C]));
        _betas.Upload(MemoryMarshal.Cast<float, Float32>(beta[.._shape.C]));
        (_gamma, _beta) = (_gammas.View, _betas.View);
    }

    /// <summary>Takes over the parameters of a layer: scale, then shift.</summary>
    public void LoadAffine(IReadOnlyList<Parameter> parameters, DeviceStep step)
    {
        if (step.Kept is { } kept)
        {
            (_gamma, _beta) = (kept.Values(parameters[0]).SubView(0, Lanes), kept.Values(parameters[1]).SubView(0, Lanes));
        }
        else
        {
            LoadAffine(parameters[0].Values, parameters[1].Values);
        }
    }

    /// <summary>Takes over which set each sample has; uploads it if that is new.</summary>
    public void Assign(ReadOnlySpan<int> setOfSample)
    {
        if (!setOfSample.SequenceEqual(_setOfSample))
        {
            _setOfSample = setOfSample.ToArray();
            _sets.Reserve(_setOfSample.Length).Upload(_setOfSample);
        }
    }

    /// <summary>Room for as many sets.</summary>
    public void Reserve(int sets) => _constants.Reserve((long)sets * NormPlace.Kinds * Lanes);

    /// <summary>Uploads the first sets.</summary>
    public void Upload(IReadOnlyList<NormConstants> sets, int count)
    {
        int length = NormPlace.Kinds * Lanes;
        if (_packed.Length < count * length)
        {
            _packed = new float[count * length];
        }

        for (int i = 0; i < count; i++)
        {
            Pack(sets[i], _packed.AsSpan(i * length, length));
        }

        Reserve(count);
        _constants.Upload(MemoryMarshal.Cast<float, Float32>(_packed.AsSpan(0, count * length)));
    }

    public void Dispose()
    {
        _constants.Dispose();
        _gammas.Dispose();
        _betas.Dispose();
        _sets.Dispose();
    }

    private void Pack(NormConstants set, Span<float> packed)
    {
        set.MeanHigh.CopyTo(packed[(NormPlace.MeanHigh * Lanes)..]);
        set.MeanLow.CopyTo(packed[(NormPlace.MeanLow * Lanes)..]);
        set.InverseDeviation.CopyTo(packed[(NormPlace.InverseDeviation * Lanes)..]);
        set.DyScale.CopyTo(packed[(NormPlace.DyScale * Lanes)..]);
        set.DyShift.CopyTo(packed[(NormPlace.DyShift * Lanes)..]);
        set.XhatScale.CopyTo(packed[(NormPlace.XhatScale * Lanes)..]);
    }
}
