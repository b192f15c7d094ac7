using ConvNet.Engine.Formats;

namespace ConvNet.Grains.Checkpoints;

/// <summary>A training state at a step: what a checkpoint folder holds.</summary>
/// <param name="State">Everything besides tensors.</param>
/// <param name="Parameters">The trainable tensors, in any order.</param>
/// <param name="Statistics">Running means and variances, named NAME.running_mean and NAME.running_var.</param>
/// <param name="Optimizer">The optimizer's slots, e.g. momentum.0.weight.</param>
/// <param name="Metadata">convnet.model, convnet.mean, convnet.std.</param>
public sealed record Checkpoint(
    CheckpointState State,
    IReadOnlyList<NamedTensor> Parameters,
    IReadOnlyList<NamedTensor> Statistics,
    IReadOnlyList<NamedTensor> Optimizer,
    IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The tensors of model.safetensors.</summary>
    public IEnumerable<NamedTensor> Model => Parameters.Concat(Statistics);

    public string StateSha256() => StateHash.State(Model, Optimizer, State.Step);

    public string WeightsSha256() => StateHash.Weights(Parameters, State.Step);

    /// <summary>Whether a tensor of model.safetensors is a running statistic, not a trainable parameter.</summary>
    public static bool IsStatistic(string name) =>
        name.EndsWith(".running_mean", StringComparison.Ordinal) || name.EndsWith(".running_var", StringComparison.Ordinal);
}
