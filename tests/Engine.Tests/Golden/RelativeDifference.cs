namespace ConvNet.Engine.Tests.Golden;

/// <summary>‖actual − expected‖₂ / ‖expected‖₂ over the stored elements of several tensors together.</summary>
internal sealed class RelativeDifference
{
    private double _difference;
    private double _expected;

    public double Value => Math.Sqrt(_difference / _expected);

    /// <summary>Elements of a tensor that is not stored whole count for count/stored elements each.</summary>
    public void Add(GoldenFile file, GoldenCase golden, string name, ReadOnlySpan<float> actual)
    {
        ExpectedTensor expected = golden.Expected.Single(tensor => tensor.Name == name);
        int[] positions = Formula.Chosen(golden.Seed, actual.Length);
        ReadOnlySpan<double> elements = file.Elements(expected);
        double weight = (double)actual.Length / positions.Length;
        for (int i = 0; i < positions.Length; i++)
        {
            double error = actual[positions[i]] - elements[i];
            _difference += weight * error * error;
            _expected += weight * elements[i] * elements[i];
        }
    }
}
