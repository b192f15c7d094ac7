using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Formats;

/// <summary>Checks that tensors from a file are those that a model has.</summary>
public static class TensorList
{
    private const int MaxListed = 10;

    /// <summary>Compares names and shapes, and looks for values that are not finite.</summary>
    /// <param name="source">Where the tensors come from, for the message.</param>
    /// <param name="expected">Name and shape of every tensor that must be there.</param>
    /// <param name="actual">What is there.</param>
    /// <returns>The tensors in the expected order.</returns>
    /// <exception cref="ConvNetException">
    /// They differ: missing, unexpected, misshapen or non-finite tensors are listed at once (exit code 3).
    /// </exception>
    public static IReadOnlyList<NamedTensor> Match(
        string source, IReadOnlyList<(string Name, int[] Shape)> expected, IReadOnlyList<NamedTensor> actual)
    {
        Dictionary<string, NamedTensor> byName = actual.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var matched = new List<NamedTensor>(expected.Count);
        var faults = new List<string>();
        foreach ((string name, int[] shape) in expected)
        {
            if (!byName.Remove(name, out NamedTensor? tensor))
            {
                faults.Add($"{name} is missing");
            }
            else if (!tensor.Shape.AsSpan().SequenceEqual(shape))
            {
                faults.Add($"{name} is [{string.Join(", ", tensor.Shape)}] instead of [{string.Join(", ", shape)}]");
            }
            else if (FirstNonFinite(tensor.Data.Span) is int index)
            {
                faults.Add($"{name} has {tensor.Data.Span[index]} at index {index}");
            }
            else
            {
                matched.Add(tensor);
            }
        }

        faults.AddRange(byName.Keys.Order(StringComparer.Ordinal).Select(name => $"{name} is unknown"));
        if (faults.Count == 0)
        {
            return matched;
        }

        string rest = faults.Count > MaxListed ? $"; and {faults.Count - MaxListed} more" : "";
        throw ConvNetException.BadInput(
            $"{source}: the tensors don't fit the model: {string.Join("; ", faults.Take(MaxListed))}{rest}. Use a file of the same model.");
    }

    /// <summary>The index of the first value that is NaN or infinite, or null.</summary>
    public static int? FirstNonFinite(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return null;
    }
}
