using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using Xunit;

namespace ConvNet.Engine.Tests.Formats;

public class TensorListTests
{
    private static readonly (string, int[])[] Expected = [("b", [2]), ("a", [1, 2]), ("c", [1])];

    [Fact]
    public void Matching_tensors_come_back_in_the_expected_order()
    {
        IReadOnlyList<NamedTensor> matched = TensorList.Match("x", Expected, [Tensor("a", 1, 2), Tensor("b", 2), Tensor("c", 1)]);
        Assert.Equal(["b", "a", "c"], matched.Select(tensor => tensor.Name));
    }

    [Fact]
    public void All_differences_are_listed_at_once()
    {
        NamedTensor infinite = new("c", [1], new[] { float.NaN });
        ConvNetException error = Assert.Throws<ConvNetException>(
            () => TensorList.Match("m.safetensors", Expected, [Tensor("a", 2, 1), infinite, Tensor("z", 1)]));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        string[] parts = ["m.safetensors", "b is missing", "a is [2, 1] instead of [1, 2]", "c has NaN at index 0", "z is unknown"];
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    [Fact]
    public void A_long_list_is_cut()
    {
        NamedTensor[] unknown = [.. Enumerable.Range(0, 50).Select(i => Tensor($"u{i}", 1))];
        Assert.Contains("and 40 more", Assert.Throws<ConvNetException>(() => TensorList.Match("x", [], unknown)).Message);
    }

    private static NamedTensor Tensor(string name, params int[] shape) =>
        new(name, shape, new float[shape.Aggregate(1, (product, side) => product * side)]);
}
