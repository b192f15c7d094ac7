namespace ConvNet.Engine;

/// <summary>The parts of a training step that a profile tells apart.</summary>
public enum StepPhase
{
    /// <summary>Taking over the weights: fetched, and packed or transformed for the kernels.</summary>
    Load,

    Forward,

    /// <summary>∂loss/∂input; of layers without weights, all of backward.</summary>
    BackwardData,

    /// <summary>∂loss/∂weights with its sum over the data shards.</summary>
    BackwardWeights,

    /// <summary>Completing the gradient's sum and applying the optimizer.</summary>
    Update,
}

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
}
