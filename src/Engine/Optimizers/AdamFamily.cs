using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Optimizers;

/// <summary>
/// What Adam and AdamW share: running means m of the gradient and v of its square, and the bias-corrected update
/// η/(1 − β1^n) · m / (√v/√(1 − β2^n) + ε). Source: Kingma, Ba, "Adam: a method for stochastic optimization" (2015), in the order
/// of operations of torch.optim.
/// </summary>
public abstract record AdamFamily : OptimizerSpec
{
    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.999;

    public double Epsilon { get; init; } = 1e-8;

    [JsonIgnore]
    public override IReadOnlyList<string> SlotNames => ["adam.m", "adam.v"];

    /// <summary>True if weight decay shrinks the weights instead of joining the gradient.</summary>
    [JsonIgnore]
    protected abstract bool Decoupled { get; }

    public override void Validate()
    {
        base.Validate();
        Require(Beta1 is >= 0 and < 1, "beta1", Beta1, "at least 0 and below 1");
        Require(Beta2 is >= 0 and < 1, "beta2", Beta2, "at least 0 and below 1");
        Require(Epsilon > 0 && double.IsFinite(Epsilon), "epsilon", Epsilon, "above 0");
    }

    public override (double First, double SecondRoot) BiasCorrections(long update) =>
        (1 - Power(Beta1, update), Math.Sqrt(1 - Power(Beta2, update)));

    public override UpdateNumbers Numbers(StepSettings settings) => new(
        (float)settings.ClipFactor,
        Decay: Decoupled ? 0f : (float)WeightDecay,
        Rate: -(float)(settings.LearningRate / settings.BiasCorrection1),
        Shrink: Decoupled ? (float)(1 - settings.LearningRate * WeightDecay) : 1f,
        NewShare1: (float)(1 - Beta1),
        NewShare2: (float)(1 - Beta2),
        Beta2: (float)Beta2,
        Epsilon: (float)Epsilon,
        RootCorrection: (float)settings.BiasCorrection2Root);

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
            Update<Floats16>(settings, w, g, slot0, slot1, wNext);
        }
        else
        {
            Update<Floats8>(settings, w, g, slot0, slot1, wNext);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update<T>(
        StepSettings settings, ReadOnlySpan<float> w, ReadOnlySpan<float> g, Span<float> slot0, Span<float> slot1, Span<float> wNext)
        where T : struct, IFloats<T>
    {
        UpdateNumbers numbers = Numbers(settings);
        var clip = T.Create(numbers.Clip);
        var joined = T.Create(numbers.Decay);
        var shrink = T.Create(numbers.Shrink);
        var newShare1 = T.Create(numbers.NewShare1);
        var newShare2 = T.Create(numbers.NewShare2);
        var beta2 = T.Create(numbers.Beta2);
        var epsilon = T.Create(numbers.Epsilon);
        var rootCorrection = T.Create(numbers.RootCorrection);
        var rate = T.Create(numbers.Rate);
        ReadOnlySpan<T> weights = Lanes.Of<T>(w);
        ReadOnlySpan<T> gradients = Lanes.Of<T>(g);
        Span<T> means = Lanes.Of<T>(slot0);
        Span<T> squares = Lanes.Of<T>(slot1);
        Span<T> next = Lanes.Of<T>(wNext);
        for (int i = 0; i < weights.Length; i++)
        {
            T d = T.MultiplyAdd(joined, weights[i], gradients[i] * clip);
            T m = T.MultiplyAdd(newShare1, d - means[i], means[i]);
            T v = T.MultiplyAdd(newShare2 * d, d, beta2 * squares[i]);
            means[i] = m;
            squares[i] = v;
            T update = m / (T.Sqrt(v) / rootCorrection + epsilon);
            next[i] = T.MultiplyAdd(rate, update, shrink * weights[i]);
        }
    }

    /// <summary>value^exponent by squaring: a fixed sequence of multiplications for each exponent, unlike the C library's pow.</summary>
    private static double Power(double value, long exponent)
    {
        double result = 1;
        for (double square = value; exponent > 0; exponent >>= 1, square *= square)
        {
            if ((exponent & 1) != 0)
            {
                result *= square;
            }
        }

        return result;
    }
}
