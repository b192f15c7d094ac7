namespace ConvNet.Gpu.Tests;

/// <summary>Reproducible values for tests.</summary>
internal sealed class RandomValues(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>From first to last.</summary>
    public int Number(int first, int last) => _random.Next(first, last + 1);

    /// <summary>Mostly of moderate size, some zeros of both signs and some equal ones.</summary>
    public float Float() => _random.Next(16) switch
    {
        0 => 0f,
        1 => -0f,
        2 => 0.5f,
        3 => (float)(_random.NextDouble() * 1e-30),
        _ => (float)(_random.NextDouble() * 4 - 2),
    };

    public void Fill(Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = Float();
        }
    }
}
