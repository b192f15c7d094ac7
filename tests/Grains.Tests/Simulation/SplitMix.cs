namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A small seeded generator and the hash behind it. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
/// </summary>
internal sealed class SplitMix(ulong seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state = seed;

    /// <summary>A number in 0 … end − 1.</summary>
    public int Below(int end) => (int)(Mix(_state += Golden) % (ulong)end);

    /// <summary>True in so many of a thousand cases.</summary>
    public bool Chance(int permille) => Below(1000) < permille;

    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A hash of a few numbers.</summary>
    public static ulong Hash(long a, long b, long c, long d = 0) =>
        Mix(Mix(Mix(Mix((ulong)a * Golden) + (ulong)b) * Golden + (ulong)c) * Golden + (ulong)d);

    /// <summary>A hash as a number in −1 … 1.</summary>
    public static double Unit(ulong hash) => (long)hash / 9.3e18;
}
