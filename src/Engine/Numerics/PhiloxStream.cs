namespace ConvNet.Engine.Numerics;

/// <summary>
/// Consecutive numbers of one Philox counter. A mutable value: keep it in a local variable, pass it by reference. Get one from
/// <see cref="Philox.Stream"/> and its siblings.
/// </summary>
public struct PhiloxStream
{
    private readonly ulong _seed;
    private readonly uint _a;
    private readonly uint _b;
    private readonly uint _tag;
    private (uint X0, uint X1, uint X2, uint X3) _block;
    private uint _nextBlock;
    private int _used;

    internal PhiloxStream(ulong seed, uint a, uint b, uint tag)
    {
        _seed = seed;
        _a = a;
        _b = b;
        _tag = tag;
        _used = 4;
    }

    /// <summary>Uniform over all 32-bit values.</summary>
    public uint NextUInt()
    {
        if (_used == 4)
        {
            _block = Philox.Block((uint)_seed, (uint)(_seed >> 32), _nextBlock, _a, _b, _tag);
            _nextBlock = checked(_nextBlock + 1);
            _used = 0;
        }

        return _used++ switch { 0 => _block.X0, 1 => _block.X1, 2 => _block.X2, _ => _block.X3 };
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-24.</summary>
    public float NextFloat() => (NextUInt() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform over 0 … <paramref name="n"/> − 1, without bias (Lemire: "Fast random integer generation in an interval", 2019).</summary>
    public int NextBelow(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        uint range = (uint)n;
        ulong product = (ulong)NextUInt() * range;
        if ((uint)product < range)
        {
            uint threshold = (0u - range) % range;
            while ((uint)product < threshold)
            {
                product = (ulong)NextUInt() * range;
            }
        }

        return (int)(product >> 32);
    }

    /// <summary>Two independent standard normal values (Box and Muller, 1958), from two 32-bit numbers.</summary>
    public (double First, double Second) NextGaussian()
    {
        // The radius takes (x + 1) / 2^32, in (0, 1], because log 0 is not finite.
        double u = (NextUInt() + 1.0) * (1.0 / 4294967296.0);
        double angle = NextUInt() * (2 * DeterministicMath.Pi / 4294967296.0);
        double radius = Math.Sqrt(-2 * DeterministicMath.Log(u));
        return (radius * DeterministicMath.Cos(angle), radius * DeterministicMath.Sin(angle));
    }
}
