using System.Runtime.Intrinsics;
using System.Text.Json.Serialization;

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

    public override void Apply(
        StepSettings settings,
        float tensorRate,
        ReadOnlySpan<float> w,
        ReadOnlySpan<float> g,
        Span<float> slot0,
        Span<float> slot1,
        Span<float> wNext)
    {
        var clip = Vector256.Create((float)settings.ClipFactor);
        var decay = Vector256.Create((float)WeightDecay);
        var momentum = Vector256.Create((float)Momentum);
        var rate = Vector256.Create(-(float)settings.LearningRate);
        ReadOnlySpan<Vector256<float>> weights = Lanes.Of(w);
        ReadOnlySpan<Vector256<float>> gradients = Lanes.Of(g);
        Span<Vector256<float>> buffers = Lanes.Of(slot0);
        Span<Vector256<float>> next = Lanes.Of(wNext);
        for (int i = 0; i < weights.Length; i++)
        {
            Vector256<float> d = Vector256.FusedMultiplyAdd(decay, weights[i], gradients[i] * clip);
            if (Momentum != 0)
            {
                Vector256<float> buffer = Vector256.FusedMultiplyAdd(momentum, buffers[i], d);
                buffers[i] = buffer;
                d = Nesterov ? Vector256.FusedMultiplyAdd(momentum, buffer, d) : buffer;
            }

            next[i] = Vector256.FusedMultiplyAdd(rate, d, weights[i]);
        }
    }
}
