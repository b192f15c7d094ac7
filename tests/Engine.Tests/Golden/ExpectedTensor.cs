namespace ConvNet.Engine.Tests.Golden;

/// <summary>What PyTorch says about one tensor: a few elements, the sum, the L2 norm and the largest absolute value of all.</summary>
/// <param name="At">Index of the first stored element in the file of doubles.</param>
internal sealed record ExpectedTensor(string Name, int[] Shape, int At, int Stored, double Sum, double Norm, double Largest)
{
    public int Count => Shape.Aggregate(1, (product, side) => product * side);
}
