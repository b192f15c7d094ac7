using ConvNet.Engine;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Layers;
using ConvNet.Grains.Checkpoints;

namespace ConvNet.Client;

/// <summary>Puts the tensors of a checkpoint into a network.</summary>
internal static class CheckpointWeights
{
    /// <summary>Fills all parameters.</summary>
    /// <returns>The running statistics, in the order of <see cref="Network.BatchNorms"/>.</returns>
    /// <exception cref="ConvNetException">A tensor is missing or has another size than the model's.</exception>
    public static BatchNormState[] Load(Network network, Checkpoint checkpoint)
    {
        Dictionary<string, NamedTensor> tensors = checkpoint.Model.ToDictionary(tensor => tensor.Name);
        foreach (Parameter parameter in network.Parameters)
        {
            Find(tensors, parameter.Name, parameter.Count).CopyTo(parameter.Values);
        }

        return
        [
            .. network.BatchNorms.Select(norm => new BatchNormState(
                norm.Name,
                Find(tensors, $"{norm.Name}.running_mean", norm.Output.C).ToArray(),
                Find(tensors, $"{norm.Name}.running_var", norm.Output.C).ToArray())),
        ];
    }

    private static ReadOnlySpan<float> Find(Dictionary<string, NamedTensor> tensors, string name, int count) =>
        tensors.TryGetValue(name, out NamedTensor? tensor) && tensor.Data.Length == count
            ? tensor.Data.Span
            : throw ConvNetException.BadInput(tensor is null
                ? $"the checkpoint has no tensor '{name}', which the model needs."
                : $"the checkpoint's tensor '{name}' has {tensor.Data.Length} values, but the model needs {count}.");
}
