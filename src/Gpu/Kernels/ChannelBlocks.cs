namespace ConvNet.Gpu.Kernels;

/// <summary>Where values lie in a tensor whose channels are in blocks of 8.</summary>
internal static class ChannelBlocks
{
    /// <summary>Of a channel in its sample, from the sample's pixel 0.</summary>
    public static int Offset(int channel, int area) => (channel >> 3) * area * 8 + (channel & 7);
}
