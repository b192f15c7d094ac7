using System.Text.Json;

namespace ConvNet.Engine.Tests.Golden;

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
