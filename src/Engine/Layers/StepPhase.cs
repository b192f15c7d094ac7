namespace ConvNet.Engine.Layers;

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
