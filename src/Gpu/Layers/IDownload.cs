namespace ConvNet.Gpu.Layers;

/// <summary>A copy from the device that may be under way, and who gets it.</summary>
internal interface IDownload
{
    long Bytes { get; }

    /// <summary>The copy is there; called once for each time that it was made.</summary>
    void HandOn(DeviceStep step);
}
