namespace ConvNet.Engine.Formats;

/// <summary>A tensor with its name, as a checkpoint holds it.</summary>
/// <param name="Name">As in PyTorch's state_dict, e.g. "3.main.0.weight".</param>
/// <param name="Shape">PyTorch layout; empty for a scalar.</param>
/// <param name="Data">The values in C order, one for each element of the shape.</param>
public sealed record NamedTensor(string Name, int[] Shape, ReadOnlyMemory<float> Data)
{
    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
