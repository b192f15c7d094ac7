using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>
/// Gradients against differences of the layer's own forward pass. With L = Σ dy·y in double, ∂L/∂v is the five-point difference
/// (8(L(v+h) − L(v−h)) − (L(v+2h) − L(v−2h)))/12h, exact up to h⁴. The step is large, because float32 outputs carry rounding
/// errors of 6e-8: divided by h = 1/64 they stay well under the tolerance.
/// </summary>
public sealed class CentralDifferenceTests
{
    private const uint Seed = 5;
    private const int Batch = 3;
    private const int Probes = 10;
    private const float Step = 1f / 64;
    private const double Tolerance = 1e-3;

    /// <summary>Input volume and layers.</summary>
    private static readonly (string Input, string Layers)[] Models =
    [
        ("3,6,5", """{"type":"conv","out":9,"kernel":3,"padding":1,"bias":true}"""),
        ("8,7,7", """{"type":"conv","out":4,"kernel":3,"stride":2,"padding":1,"groups":2}"""),
        ("3,9,9", """{"type":"conv","out":4,"kernel":3,"padding":2,"dilation":2}"""),
        ("2,5,4", """{"type":"locallyConnected","out":3,"kernel":3,"padding":1,"bias":true}"""),
        ("3,6,6", """{"type":"maxPool","size":3,"stride":1,"padding":1}"""),
        ("9,6,6", """{"type":"maxPool","size":2,"stride":2}"""),
        ("3,6,6", """{"type":"avgPool","size":2,"stride":2,"padding":1}"""),
        ("3,4,5", """{"type":"globalAvgPool"}"""),
        ("3,4,5", """{"type":"batchNorm"}"""),
        ("3,4,5", """{"type":"batchNorm"},{"type":"relu"}"""),
        ("3,4,5", """{"type":"layerNorm"}"""),
        ("3,4,5", """{"type":"instanceNorm"}"""),
        ("6,4,5", """{"type":"groupNorm","groups":2}"""),
        ("3,4,3", """{"type":"flatten"},{"type":"fullyConnected","out":5}"""),
        ("3,4,5", """{"type":"relu"}"""),
        ("3,4,5", """{"type":"dropout","rate":0.5}"""),
        ("3,5,5", """{"type":"residual","main":[{"type":"conv","out":3,"kernel":3,"padding":1},{"type":"batchNorm"}]}"""),
        ("3,5,5", """
            {"type":"residual",
            "main":[{"type":"conv","out":4,"kernel":3,"stride":2,"padding":1},{"type":"batchNorm"},{"type":"relu"},
                {"type":"conv","out":4,"kernel":3,"padding":1},{"type":"batchNorm"}],
            "shortcut":[{"type":"conv","out":4,"kernel":1,"stride":2},{"type":"batchNorm"}]}
            """),
    ];

    public static TheoryData<int, KernelSet> Cases()
    {
        var cases = new TheoryData<int, KernelSet>();
        for (int model = 0; model < Models.Length; model++)
        {
            cases.Add(model, KernelSet.Reference);
            cases.Add(model, KernelSet.Fast);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_are_the_slopes_of_the_forward_pass(int model, KernelSet kernels)
    {
        ModelSpec spec = ModelFile.Parse($$"""{"name":"m","input":[{{Models[model].Input}}],"layers":[{{Models[model].Layers}}]}""");
        var run = LayerRun.Of(spec.Layers, spec.Input, kernels);
        bool startsWithKinks = spec.Layers[0] is MaxPoolSpec or ReLUSpec;
        bool hasReLU = Models[model].Layers.Contains("residual") || Models[model].Layers.Contains("relu");
        int inputs = Batch * spec.Input.Count;
        var values = new Dictionary<string, float[]> { ["x"] = startsWithKinks ? Spaced(inputs) : Formula.Values(Seed, 0, inputs) };
        float[] gradient = [];
        LayerResult result = run.Train(Batch, values["x"], y => gradient = Formula.Values(Seed, 1, y.Length), Parameter);
        Check("x", result.Dx);
        foreach ((string name, float[] exact) in result.Gradients)
        {
            Check(name, exact);
        }

        float[] Parameter(string name, int count)
        {
            if (!values.TryGetValue(name, out float[]? found))
            {
                values.Add(name, found = Initial(name, count, hasReLU));
            }

            return found;
        }

        void Check(string name, float[] exact)
        {
            double largest = exact.Max(Math.Abs);
            for (int probe = 0; probe < Probes; probe++)
            {
                int i = (int)(Formula.Bits(Seed, 9, (uint)probe) % (uint)exact.Length);
                double slope = (8 * (Loss(name, i, 1) - Loss(name, i, -1)) - (Loss(name, i, 2) - Loss(name, i, -2))) / (12 * Step);
                Assert.True(
                    Math.Abs(slope - exact[i]) <= Tolerance * largest,
                    $"{Models[model].Layers}: gradient of {name}[{i}] is {exact[i]:g9}, slope {slope:g9}, largest {largest:g4}.");
            }
        }

        double Loss(string name, int index, int steps)
        {
            float kept = values[name][index];
            values[name][index] = kept + steps * Step;
            float[] y = run.Forward(Batch, values["x"], Parameter);
            values[name][index] = kept;
            return y.Zip(gradient, (a, b) => (double)a * b).Sum();
        }
    }

    /// <summary>Distinct values 1/8 apart and 1/16 from zero, in hashed order: no probe reaches a kink.</summary>
    private static float[] Spaced(int count)
    {
        int[] order = [.. Enumerable.Range(0, count).OrderBy(i => Formula.Bits(Seed, 8, (uint)i))];
        return [.. order.Select(rank => (rank - count / 2) * 0.125f + 0.0625f)];
    }

    /// <summary>Where a ReLU follows, β is ±3 by channel, so that it stays open or closed.</summary>
    private static float[] Initial(string name, int count, bool feedsReLU)
    {
        bool isBias = name.EndsWith("bias", StringComparison.Ordinal);
        return isBias && feedsReLU
            ? [.. Enumerable.Range(0, count).Select(c => c % 2 == 0 ? 3f : -3f)]
            : Formula.Values(Seed, (uint)name.Length + 16, count, 0.5f);
    }
}
