namespace ConvNet.Engine.Numerics;

/// <summary>
/// Philox4x32-10: random numbers as a pure function of a key and a counter (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
/// as 1, 2, 3", SC 2011). The key is the job's seed (low word first). The counter's words are: (0) the number of the block of four values
/// within its stream, (1) and (2) what the stream belongs to, (3) the purpose in the top 4 bits and the layer in the lower 28.
/// <code>
/// purpose          word 1      word 2    word 3, low 28 bits
/// Shuffle          0           epoch     0
/// Augmentation     sample      epoch     0
/// Dropout          sample      step      layer
/// Initialization   parameter   layer     0
/// </code>
/// Sample = index in the data set; layer = index in the model spec; parameter = index in the layer.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>The four 32-bit outputs for one key and one counter.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(uint key0, uint key1, uint c0, uint c1, uint c2, uint c3)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0;
            ulong product1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(product1 >> 32) ^ c1 ^ key0;
            c1 = (uint)product1;
            c2 = (uint)(product0 >> 32) ^ c3 ^ key1;
            c3 = (uint)product0;
            key0 += Weyl0;
            key1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>The stream for a shuffle: (seed, epoch).</summary>
    public static PhiloxStream Shuffle(ulong seed, int epoch) => Stream(seed, Purpose.Shuffle, 0, checked((uint)epoch));

    /// <summary>The stream for the augmentation of one sample: (seed, epoch, sample).</summary>
    public static PhiloxStream Augmentation(ulong seed, int epoch, int sample) =>
        Stream(seed, Purpose.Augmentation, checked((uint)sample), checked((uint)epoch));

    /// <summary>The stream for the first values of one parameter: (seed, layer, parameter).</summary>
    public static PhiloxStream Initialization(ulong seed, int layer, int parameter) =>
        Stream(seed, Purpose.Initialization, checked((uint)parameter), checked((uint)layer));

    /// <summary>The stream whose counter words 1 and 2 are <paramref name="a"/> and <paramref name="b"/>.</summary>
    public static PhiloxStream Stream(ulong seed, Purpose purpose, uint a, uint b) => new(seed, a, b, (uint)purpose << 28);

    /// <summary>
    /// The numbers that decide whether dropout keeps elements 4·<paramref name="block"/> … 4·<paramref name="block"/>+3: uniform over all
    /// 32-bit values.
    /// </summary>
    /// <param name="sample">Index in the data set.</param>
    /// <param name="block">A fourth of the logical index c·H·W + h·W + w within the sample.</param>
    /// <exception cref="OverflowException">The step needs more than 32 bits, or the layer more than 28.</exception>
    public static (uint X0, uint X1, uint X2, uint X3) DropoutBlock(ulong seed, long step, int layer, int sample, int block)
    {
        uint tag = (uint)layer < 1u << 28 ? ((uint)Purpose.Dropout << 28) | (uint)layer : throw new OverflowException(
            $"Layer {layer} needs more than 28 bits.");
        return Block((uint)seed, (uint)(seed >> 32), (uint)block, (uint)sample, checked((uint)step), tag);
    }
}
