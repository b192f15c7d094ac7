namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>Where the pixels of a <see cref="GatherGrid"/> lie.</summary>
internal static class GatherIndex
{
    /// <summary>The output pixel in the destination, its channel 0.</summary>
    public static int Destination(GatherGrid grid, int pixel)
    {
        int place = pixel % (grid.Height * grid.Width);
        int y = grid.OriginY + place / grid.Width * grid.PixelStepY;
        int x = grid.OriginX + place % grid.Width * grid.PixelStepX;
        return pixel / (grid.Height * grid.Width) * grid.DestinationStride + (y * grid.DestinationWidth + x) * 8;
    }

    public static int SourceY(GatherGrid grid, int pixel) => grid.BaseY + pixel % (grid.Height * grid.Width) / grid.Width * grid.StepY;

    public static int SourceX(GatherGrid grid, int pixel) => grid.BaseX + pixel % grid.Width * grid.StepX;

    public static int SourceSample(GatherGrid grid, int pixel) => pixel / (grid.Height * grid.Width) * grid.SourceStride;
}
