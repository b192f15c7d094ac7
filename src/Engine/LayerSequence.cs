namespace ConvNet.Engine;

/// <summary>Layers that feed each other: the whole model, or a branch of a residual block.</summary>
public sealed class LayerSequence(IReadOnlyList<Layer> layers, Shape input, Shape output)
{
    public IReadOnlyList<Layer> Layers { get; } = layers;

    public Shape Input { get; } = input;

    public Shape Output { get; } = output;

    /// <summary>All layers depth first, children after their parent.</summary>
    public IEnumerable<Layer> Walk() => Layers.SelectMany(Walk);

    public Activation Forward(Activation x, StepContext step)
    {
        foreach (Layer layer in Layers)
        {
            if (step.Training && layer.Parameters.Count > 0)
            {
                foreach (Parameter parameter in layer.Parameters)
                {
                    step.Exchange.Pull(parameter);
                }

                layer.Load(step);
            }

            x = layer.Forward(x, step);
        }

        return x;
    }

    public Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        Activation? gradient = dy;
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            gradient = Layers[i].Backward(gradient!, step, needsInputGradient || i > 0);
        }

        return gradient;
    }

    private static IEnumerable<Layer> Walk(Layer layer) => layer.Children.SelectMany(Walk).Prepend(layer);
}
