namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// Products that are summed over units, the output pixels of the samples of a shard: the gradient of the weight of (filter k, channel c, tap t) is the
/// sum of dy[unit, k] · x(c, BaseY + y·StepY + t's shift, ...). A Winograd point has its tiles as the units of one sample, and one tap. Each of
/// <see cref="Batches"/> is a group of channels, or a point.
/// </summary>
internal struct GradientGrid
{
    /// <summary>Units of a sample: rows and columns.</summary>
    public int Height, Width;

    public int SourceHeight, SourceWidth;

    /// <summary>Floats from one sample to the next.</summary>
    public int SourceStride, GradientStride;

    public int BaseY, BaseX, StepY, StepX;

    public int TapCount;

    /// <summary>Of one batch.</summary>
    public int Channels, Filters;

    public int Batches;

    /// <summary>From one batch to the next.</summary>
    public int ChannelStep, FilterStep;

    /// <summary>Floats from one batch to the next, of x, dy and the sums.</summary>
    public int SourceStep, GradientStep, SumStep;

    /// <summary>Floats of the sums from one shard, filter, channel and tap to the next.</summary>
    public int ShardStep, SumOfFilter, SumOfChannel, SumOfTap;

    /// <summary>The shard whose sums are first, and how many shards there are sums of.</summary>
    public int FirstShard, Shards;

    /// <summary>The runs of units that are there, and the unit that lies first in x and dy.</summary>
    public int FirstRun, EndRun, FirstUnit;

    /// <summary>1 where a shard's first run is added to zero, 0 where it is taken as it is.</summary>
    public int AddsToZero;

    /// <summary>1 if the channels and filters of each batch begin with a whole block.</summary>
    public readonly int IsAligned => (ChannelStep | FilterStep) % 8 == 0 || Batches == 1 ? 1 : 0;

    /// <summary>Pairs of a tap and a block of 8 channels.</summary>
    public readonly int StripCount => (Channels + 7) / 8 * TapCount;
}
