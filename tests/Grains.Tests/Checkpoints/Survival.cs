namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>Which of what was not flushed is there after a crash; the same questions get the same answers.</summary>
internal sealed class Survival
{
    private readonly Random? _random;
    private readonly bool _all;

    /// <summary>Some of it, by chance.</summary>
    public Survival(int seed) => _random = new Random(seed);

    private Survival(bool all) => _all = all;

    public static Survival Everything { get; } = new(all: true);

    public static Survival Nothing { get; } = new(all: false);

    public bool Keeps() => _random is null ? _all : _random.Next(2) == 0;

    /// <summary>What is left of a file: what it held before, what was written, or its first part with zeros after it.</summary>
    public byte[] Torn(byte[] before, byte[] written)
    {
        if (Keeps())
        {
            return written;
        }

        if (_random is null || _random.Next(2) == 0)
        {
            return before;
        }

        byte[] torn = [.. written];
        torn.AsSpan(_random.Next(torn.Length + 1)).Clear();
        return torn;
    }
}
