namespace ConvNet.Gpu.Devices;

/// <summary>Commands that a device starts as one; the memory that they use must be there as long.</summary>
internal interface IRecording : IDisposable
{
    /// <summary>Starts them, after all that has been issued before.</summary>
    /// <returns>False if the device does not, and nothing of it has begun.</returns>
    bool TryReplay();
}
