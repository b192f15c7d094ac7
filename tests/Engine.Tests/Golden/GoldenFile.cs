using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>A parameter or running statistic that the formula fills; see README.md beside this file.</summary>
internal sealed record StateTensor(
    string Name, uint Tensor, float Scale, float Offset, uint MomentumTensor = 0, float MomentumScale = 0)
{
    public float[] Values(uint seed, int count) => Formula.Values(seed, Tensor, count, Scale, Offset);

    public float[] Momentum(uint seed, int count) => Formula.Values(seed, MomentumTensor, count, MomentumScale);
}

/// <summary>What PyTorch says about one tensor: a few elements, the sum, the L2 norm and the largest absolute value of all.</summary>
/// <param name="At">Index of the first stored element in the file of doubles.</param>
internal sealed record ExpectedTensor(string Name, int[] Shape, int At, int Stored, double Sum, double Norm, double Largest)
{
    public int Count => Shape.Aggregate(1, (product, side) => product * side);
}

/// <summary>One item of a golden file: a layer case, or one formula state of a network.</summary>
internal sealed record GoldenCase(uint Seed, StateTensor[] State, ExpectedTensor[] Expected)
{
    public string Name { get; init; } = "";

    public string Kind { get; init; } = "";

    public int Batch { get; init; }

    /// <summary>C, H, W.</summary>
    public int[] Input { get; init; } = [];

    /// <summary>As in a model file.</summary>
    public JsonElement Layers { get; init; }

    public float InputScale { get; init; } = 1;

    public float InputOffset { get; init; }

    /// <summary>If not null, running statistics are cumulative averages that so many steps are already in.</summary>
    public long? CumulativeAfter { get; init; }

    /// <summary>Networks: the mean loss.</summary>
    public double Loss { get; init; }

    public StateTensor StateOf(string name) => State.Single(state => state.Name == name);

    public override string ToString() => $"{Name}{Kind}";
}

/// <summary>A committed file of golden values, read once.</summary>
internal sealed class GoldenFile
{
    private const uint InputTensor = 0;
    private const uint OutputGradientTensor = 1;

    private static readonly ConcurrentDictionary<string, Lazy<GoldenFile>> Files = new();
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    private readonly double[] _elements;

    private GoldenFile(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Golden", name);
        Cases = JsonSerializer.Deserialize<GoldenCase[]>(File.ReadAllBytes(path + ".json"), Options)!;
        _elements = MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(path + ".f64")).ToArray();
    }

    public GoldenCase[] Cases { get; }

    public static GoldenFile Read(string name) => Files.GetOrAdd(name, _ => new Lazy<GoldenFile>(() => new GoldenFile(name))).Value;

    public static float[] Input(GoldenCase golden, int count, float scale) =>
        Formula.Values(golden.Seed, InputTensor, count, scale, golden.InputOffset);

    public static float[] OutputGradient(GoldenCase golden, int count) => Formula.Values(golden.Seed, OutputGradientTensor, count);

    public ReadOnlySpan<double> Elements(ExpectedTensor tensor) => _elements.AsSpan(tensor.At, tensor.Stored);
}
