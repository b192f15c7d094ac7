using System.Text.Json;
using ConvNet.Engine.Formats;

namespace ConvNet.Grains.Checkpoints;

/// <summary>A training state at a step: what a checkpoint folder holds. <see cref="CheckpointTensors"/> has the names of the tensors.</summary>
/// <param name="State">Everything besides tensors.</param>
/// <param name="Parameters">The trainable tensors, in any order.</param>
/// <param name="Statistics">Running means and variances.</param>
/// <param name="Optimizer">The optimizer's slots.</param>
/// <param name="Metadata">convnet.model, convnet.mean, convnet.std, convnet.classes.</param>
public sealed record Checkpoint(
    CheckpointState State,
    IReadOnlyList<NamedTensor> Parameters,
    IReadOnlyList<NamedTensor> Statistics,
    IReadOnlyList<NamedTensor> Optimizer,
    IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The tensors of model.safetensors.</summary>
    public IEnumerable<NamedTensor> Model => Parameters.Concat(Statistics);

    /// <summary>What the model's outputs mean, in their order; null if the job does not say it.</summary>
    public string[]? ClassNames =>
        Metadata.TryGetValue(CheckpointTensors.ClassNames, out string? names) ? JsonSerializer.Deserialize<string[]>(names) : null;

    public string StateSha256() => StateHash.State(Model, Optimizer, State.Step);

    public string WeightsSha256() => StateHash.Weights(Parameters, State.Step);
}
