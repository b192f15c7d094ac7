namespace ConvNet.Engine.Layers;

/// <summary>
/// Is told on the main compute thread where a training step is. Parts nest: a convolution inside a residual block, the weight
/// gradients inside a convolution's backward. Work that a layer does for its neighbour within its own pass belongs to the layer
/// that does it.
/// </summary>
public abstract class StepProfile
{
    /// <param name="layer"><see cref="Layer.Index"/>, or the number of layers for the loss.</param>
    public abstract void Begin(int layer, StepPhase phase);

    /// <summary>Ends what began last. Not called if the part threw.</summary>
    public abstract void End();

    /// <summary>A device that is profiled times its kernels one by one, and tells of each.</summary>
    /// <param name="family">Kernels of a kind, or "copies".</param>
    public virtual void Ran(string family, TimeSpan time)
    {
    }
}
