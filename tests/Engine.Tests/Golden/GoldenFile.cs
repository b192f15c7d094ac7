using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ConvNet.Engine.Tests.Golden;

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
