using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Optimizers;

/// <summary>
/// Stochastic gradient descent as torch.optim.SGD with dampening 0: d = g + λw; buffer = μ·buffer + d; with Nesterov d + μ·buffer,
/// else the buffer, is subtracted. A buffer of zeros makes the first step's buffer d, as PyTorch's.
/// </summary>
public sealed record Sgd : OptimizerSpec
{
    /// <summary>μ in 0 … 1 (1 excluded).</summary>
    public double Momentum { get; init; }

    public bool Nesterov { get; init; }

    [JsonIgnore]
    public override IReadOnlyList<string> SlotNames => Momentum == 0 ? [] : ["momentum"];

    public override void Validate()
    {
        base.Validate();
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "at least 0 and below 1");
        Require(!Nesterov || Momentum > 0, "momentum", Momentum, "above 0 when nesterov is true");
    }

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
            Update<Floats16>(settings, w, g, slot0, wNext);
        }
        else
        {
            Update<Floats8>(settings, w, g, slot0, wNext);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update<T>(
        StepSettings settings, ReadOnlySpan<float> w, ReadOnlySpan<float> g, Span<float> slot0, Span<float> wNext)
        where T : struct, IFloats<T>
    {
        UpdateNumbers numbers = Numbers(settings);
        var clip = T.Create(numbers.Clip);
        var decay = T.Create(numbers.Decay);
        var momentum = T.Create(numbers.Momentum);
        var rate = T.Create(numbers.Rate);
        ReadOnlySpan<T> weights = Lanes.Of<T>(w);
        ReadOnlySpan<T> gradients = Lanes.Of<T>(g);
        Span<T> buffers = Lanes.Of<T>(slot0);
        Span<T> next = Lanes.Of<T>(wNext);
        for (int i = 0; i < weights.Length; i++)
        {
            T d = T.MultiplyAdd(decay, weights[i], gradients[i] * clip);
            if (Momentum != 0)
            {
                T buffer = T.MultiplyAdd(momentum, buffers[i], d);
                buffers[i] = buffer;
                d = Nesterov ? T.MultiplyAdd(momentum, buffer, d) : buffer;
            }

            next[i] = T.MultiplyAdd(rate, d, weights[i]);
        }
    }
}
