namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// Products that are summed over taps and channels: output pixel (y, x) of a sample is the sum over channels c and taps t of
/// weight[t, c] · source(c, BaseY + y·StepY + t's shift, ...), and goes to pixel (OriginY + y·PixelStepY, ...) of the destination. It is one phase of
/// a convolution, forward or backward data, or a Winograd point with its tiles as the pixels of one sample. Each of <see cref="Batches"/>
/// is a group of channels, or a point.
/// </summary>
internal struct GatherGrid
{
    public int Samples;

    /// <summary>Output pixels of this phase: rows and columns.</summary>
    public int Height, Width;

    public int SourceHeight, SourceWidth;

    /// <summary>Floats from one sample to the next.</summary>
    public int SourceStride, DestinationStride;

    public int BaseY, BaseX, StepY, StepX;

    public int TapCount;

    /// <summary>Of the destination's plane: pixels in all and of a row.</summary>
    public int DestinationArea, DestinationWidth;

    public int OriginY, OriginX, PixelStepY, PixelStepX;

    /// <summary>Channels of one batch that are summed over.</summary>
    public int Channels;

    /// <summary>Channels of one batch that result.</summary>
    public int Filters;

    public int Batches;

    /// <summary>From one batch to the next.</summary>
    public int ChannelStep, FilterStep;

    /// <summary>Floats from one batch to the next, of the source, the destination and the weights.</summary>
    public int SourceStep, DestinationStep, WeightStep;

    /// <summary>Weights are (tap, channel, line of filters of all groups).</summary>
    public int WeightLine;

    /// <summary>1 if the channels and filters of each batch begin with a whole block.</summary>
    public readonly int IsAligned => (ChannelStep | FilterStep) % 8 == 0 || Batches == 1 ? 1 : 0;

    /// <summary>Output pixels of all samples.</summary>
    public readonly int Pixels => Samples * Height * Width;
}
