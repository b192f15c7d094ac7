using System.Runtime.CompilerServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// loss = log Σ exp(logit) − logit[label] for each sample, in double from float logits, with the largest logit subtracted first.
/// Its gradient carries the factor 1/B of the global batch, so that gradients are summed from here on and never averaged.
/// </summary>
internal sealed class SoftmaxCrossEntropy(int classes) : IDisposable
{
    private readonly double[] _exponentials = new double[classes];
    private readonly ShardReduction<Metrics> _metrics = new(() => default, Metrics.Combine);
    private Activation? _gradient;

    /// <returns>One value per root of the plan; valid until the next call.</returns>
    public Metrics[] Forward(Activation logits, int[] labels, ShardPlan plan)
    {
        if (_gradient is null || _gradient.Capacity < plan.Samples)
        {
            _gradient?.Dispose();
            _gradient = new Activation(logits.Shape, logits.Capacity);
        }

        double scale = 1.0 / plan.Tree.Batch;
        _metrics.Reserve(plan);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            _metrics[i] = Sum(logits, labels, plan.Shards[i].First, plan.Shards[i].End, scale);
        }

        return _metrics.Reduce(plan);
    }

    /// <summary>∂(mean loss of the global batch)/∂logits of the last <see cref="Forward"/>.</summary>
    public Activation Backward() => _gradient!;

    /// <summary>Loss and correct answers, summed in the order of the samples.</summary>
    public Metrics Evaluate(Activation logits, int[] labels, int samples) => Sum(logits, labels, 0, samples, 0);

    /// <exception cref="ConvNetException">A label is none of the classes (exit code 3).</exception>
    public static void DemandClasses(ReadOnlySpan<int> labels, int classes)
    {
        foreach (int label in labels)
        {
            if ((uint)label >= (uint)classes)
            {
                throw ConvNetException.BadInput(
                    $"a sample has class {label}, but the model has {classes} outputs (classes 0 ... {classes - 1}); " +
                    "use a model whose last layer has one output per class.");
            }
        }
    }

    public void Dispose() => _gradient?.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Metrics Sum(Activation logits, int[] labels, int first, int end, double scale)
    {
        DemandClasses(labels.AsSpan(first, end - first), classes);
        double loss = 0;
        long correct = 0;
        for (int n = first; n < end; n++)
        {
            ReadOnlySpan<float> values = logits.SampleSpan(n)[..classes];
            int best = 0;
            for (int k = 1; k < classes; k++)
            {
                best = values[k] > values[best] ? k : best;
            }

            double total = 0;
            for (int k = 0; k < classes; k++)
            {
                _exponentials[k] = DeterministicMath.Exp((double)values[k] - values[best]);
                total += _exponentials[k];
            }

            loss += DeterministicMath.Log(total) - ((double)values[labels[n]] - values[best]);
            correct += best == labels[n] ? 1 : 0;
            if (scale != 0)
            {
                StoreGradient(n, labels[n], total, scale);
            }
        }

        return new Metrics(loss, correct, end - first);
    }

    /// <summary>dlogits = (softmax − one-hot)·scale.</summary>
    private void StoreGradient(int n, int label, double total, double scale)
    {
        Span<float> gradient = _gradient!.SampleSpan(n);
        gradient.Clear();
        for (int k = 0; k < classes; k++)
        {
            gradient[k] = (float)((_exponentials[k] / total - (k == label ? 1 : 0)) * scale);
        }
    }
}
