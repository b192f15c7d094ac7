namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// How the pixels of a shard are cut into runs, each of which is summed from zero before it joins the gradient of a weight: groups of samples
/// from the shard's first on, then the pixels of a group. Short sums keep the error small, and a run stays in the first-level cache.
/// </summary>
/// <param name="Samples">Of a group.</param>
/// <param name="Pixels">Of a run, counted from the first of its group.</param>
internal readonly record struct GradientRuns(int Samples, int Pixels)
{
    private const int MaxPixels = 128;

    private const int DepthwisePixels = 256;

    /// <param name="area">Pixels of a sample's output.</param>
    public static GradientRuns Of(int area)
    {
        int runs = (area + MaxPixels - 1) / MaxPixels;
        return new GradientRuns(Math.Max(1, MaxPixels / area), runs > 1 ? (area + runs - 1) / runs : MaxPixels);
    }

    /// <summary>The same of a depthwise convolution, whose groups are single samples.</summary>
    public static GradientRuns Depthwise => new(1, DepthwisePixels);
}
