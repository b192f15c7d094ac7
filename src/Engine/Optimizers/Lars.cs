using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Parameters;

namespace ConvNet.Engine.Optimizers;

/// <summary>
/// Layer-wise adaptive rate scaling: d = r·(g + λw) with a trust ratio r per tensor, buffer = μ·buffer + d, w −= η·buffer.
/// r = trust·‖w‖ / (‖g‖ + λ‖w‖ + ε) for weights; 1 for biases and the scale and shift of normalizations, and while a norm is 0.
/// Source: You, Gitman, Ginsburg, "Large batch training of convolutional networks" (2017).
/// </summary>
public sealed record Lars : OptimizerSpec
{
    public double Momentum { get; init; } = 0.9;

    /// <summary>η of the paper, the trust coefficient.</summary>
    public double TrustCoefficient { get; init; } = 0.001;

    public double Epsilon { get; init; } = 1e-8;

    [JsonIgnore]
    public override IReadOnlyList<string> SlotNames => ["momentum"];

    [JsonIgnore]
    public override bool NeedsWeightNorms => true;

    public override void Validate()
    {
        base.Validate();
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "at least 0 and below 1");
        Require(TrustCoefficient > 0 && double.IsFinite(TrustCoefficient), "trustCoefficient", TrustCoefficient, "above 0");
        Require(Epsilon >= 0 && double.IsFinite(Epsilon), "epsilon", Epsilon, "a number of at least 0");
    }

    public override double TensorRate(Parameter tensor, double weightNorm, double gradientNorm) =>
        tensor.Role != ParameterRole.Weight || weightNorm == 0 || gradientNorm == 0
            ? 1
            : TrustCoefficient * weightNorm / (gradientNorm + WeightDecay * weightNorm + Epsilon);

    public override UpdateNumbers Numbers(StepSettings settings) =>
        new((float)settings.ClipFactor, (float)WeightDecay, -(float)settings.LearningRate, (float)Momentum);

    public override void Apply(
        StepSettings settings,
        float tensorRate,
        ReadOnlySpan<float> w,
        ReadOnlySpan<float> g,
        Span<float> slot0,
        Span<float> slot1,
        Span<float> wNext)
    {
        if (VectorWidth.IsWide)
        {
            Update<Floats16>(settings, tensorRate, w, g, slot0, wNext);
        }
        else
        {
            Update<Floats8>(settings, tensorRate, w, g, slot0, wNext);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update<T>(
        StepSettings settings, float tensorRate, ReadOnlySpan<float> w, ReadOnlySpan<float> g, Span<float> slot0, Span<float> wNext)
        where T : struct, IFloats<T>
    {
        UpdateNumbers numbers = Numbers(settings);
        var clip = T.Create(numbers.Clip);
        var decay = T.Create(numbers.Decay);
        var trust = T.Create(tensorRate);
        var momentum = T.Create(numbers.Momentum);
        var rate = T.Create(numbers.Rate);
        ReadOnlySpan<T> weights = Lanes.Of<T>(w);
        ReadOnlySpan<T> gradients = Lanes.Of<T>(g);
        Span<T> buffers = Lanes.Of<T>(slot0);
        Span<T> next = Lanes.Of<T>(wNext);
        for (int i = 0; i < weights.Length; i++)
        {
            T d = trust * T.MultiplyAdd(decay, weights[i], gradients[i] * clip);
            T buffer = T.MultiplyAdd(momentum, buffers[i], d);
            buffers[i] = buffer;
            next[i] = T.MultiplyAdd(rate, buffer, weights[i]);
        }
    }
}
