namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>The offset tables of one phase of a convolution.</summary>
internal sealed unsafe class IndirectTables
{
    private readonly int[] _taps;
    private readonly int _fullTaps;
    private readonly int _tailTaps;
    private readonly int _tailChannels;
    private readonly int[][] _source;
    private readonly int[][] _destination;

    public IndirectTables(
        IndirectPhase phase, int sourceChannels, PaddedPlanes planes, int sourceStride, int destinationStride, int maxSamples)
    {
        int blocks = (sourceChannels + 7) / 8;
        int taps = phase.Taps.Length;
        _tailChannels = sourceChannels % 8;
        _tailTaps = _tailChannels == 0 ? 0 : taps;
        _fullTaps = sourceChannels / 8 * taps;
        _taps = Pinned(blocks * taps);
        for (int i = 0; i < _taps.Length; i++)
        {
            (int y, int x, _) = phase.Taps[i % taps];
            _taps[i] = i / taps * planes.Stride + (y * planes.PaddedW + x) * 8;
        }

        _source = new int[maxSamples][];
        _destination = new int[maxSamples][];
        for (int samples = 1; samples <= maxSamples; samples++)
        {
            _source[samples - 1] = Offsets(phase.Pixels.Length, samples, sourceStride, p => planes.Offset(phase.Bases[p].Y, phase.Bases[p].X));
            _destination[samples - 1] = Offsets(phase.Pixels.Length, samples, destinationStride, p => phase.Pixels[p] * 8);
        }
    }

    /// <summary>The part of a job that depends on the phase.</summary>
    public TileKernel.Job Job(int samples) => new()
    {
        SourceOffsets = Address(_source[samples - 1]),
        DestinationOffsets = Address(_destination[samples - 1]),
        PixelCount = _source[samples - 1].Length,
        Taps = Address(_taps),
        FullTaps = _fullTaps,
        TailTaps = _tailTaps,
        TailChannels = _tailChannels,
    };

    /// <summary>Offsets of all pixels of all samples, the last one repeated until the tile is full: it is then only written more than once.</summary>
    private static int[] Offsets(int pixels, int samples, int stride, Func<int, int> offsetOfPixel)
    {
        int count = pixels * samples;
        int[] offsets = Pinned((count + TileKernel.Pixels - 1) / TileKernel.Pixels * TileKernel.Pixels);
        for (int i = 0; i < offsets.Length; i++)
        {
            int pixel = Math.Min(i, count - 1);
            offsets[i] = checked(pixel / pixels * stride + offsetOfPixel(pixel % pixels));
        }

        return offsets;
    }

    private static int[] Pinned(int length) => GC.AllocateArray<int>(length, pinned: true);

    private static int* Address(int[] pinned) =>
        (int*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
