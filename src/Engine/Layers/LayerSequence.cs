using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Layers that feed each other: the whole model, or a branch of a residual block. Neighbours that save a pass together learn of
/// each other here: a batch norm is folded into the convolution before it for evaluation, and applies the ReLU and the
/// 2×2 pooling after it; any layer may work on its neighbour's samples while they are in cache.
/// </summary>
internal sealed class LayerSequence
{
    public LayerSequence(IReadOnlyList<Layer> layers, Shape input, Shape output)
    {
        Layers = layers;
        Input = input;
        Output = output;
        for (int i = 1; i < layers.Count; i++)
        {
            Introduce(layers[i - 1], layers[i]);
        }
    }

    public IReadOnlyList<Layer> Layers { get; }

    public Shape Input { get; }

    public Shape Output { get; }

    /// <summary>All layers depth first, children after their parent.</summary>
    public IEnumerable<Layer> Walk() => Layers.SelectMany(layer => layer.Walk());

    public Activation Forward(Activation x, StepContext step) => Forward(x, step, 0, Layers.Count);

    /// <summary>Only the layers from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public Activation Forward(Activation x, StepContext step, int first, int end)
    {
        Activation input = x;

        // Loops by index: an enumerator of an interface would be allocated.
        for (int i = first; i < end; i++)
        {
            Layer layer = Layers[i];
            if (step.Training && layer.Parameters.Count > 0)
            {
                step.Profile?.Begin(layer.Index, StepPhase.Load);
                for (int p = 0; p < layer.Parameters.Count; p++)
                {
                    step.Exchange.Pull(layer.Parameters[p]);
                }

                layer.Load(step);
                step.Profile?.End();
            }

            step.Profile?.Begin(layer.Index, StepPhase.Forward);
            Activation y = layer.Forward(x, step);
            step.Profile?.End();
            step.Buffers?.Release(x, kept: ShowSame(x, input) ? x : y);
            x = y;
        }

        return x;
    }

    public Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        Activation? gradient = dy;
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            step.Profile?.Begin(Layers[i].Index, StepPhase.BackwardData);
            gradient = Layers[i].Backward(gradient!, step, needsInputGradient || i > 0);
            step.Profile?.End();
        }

        return gradient;
    }

    /// <summary>True if both are the same memory: the sequence's input belongs to whoever runs it.</summary>
    private static unsafe bool ShowSame(Activation x, Activation input) => x.Data == input.Data;

    private static void Introduce(Layer first, Layer second)
    {
        first.OutputReader = second.ReadInput;
        second.GradientReader = first.ReadGradient;
        if (first is Convolution convolution && second is BatchNorm folded)
        {
            convolution.Folded = folded;
            folded.IsFolded = true;
        }

        if (first is ReLU { AppliedBy: BatchNorm pooled } && second is MaxPool pool && pool.FitsNormalization)
        {
            pooled.FeedsPool = pool;
            pool.AppliedBy = pooled;
        }

        if (second is not ReLU relu)
        {
            return;
        }

        relu.OwnsInput = first is Convolution or LocallyConnected or BatchNorm;
        if (first is BatchNorm norm)
        {
            norm.FeedsReLU = true;
            relu.AppliedBy = norm;
        }
    }
}
