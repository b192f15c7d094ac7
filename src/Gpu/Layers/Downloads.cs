using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// What comes to the processor while the device goes on. Each is handed on when it is there: at the next occasion on which the processor has waited
/// for the device anyway, and at the latest at the end of the step; in the order in which they began.
/// </summary>
public sealed class Downloads
{
    /// <summary>Bytes that may be under way before the processor waits for them, so that the exchange has something to send while backward goes on.</summary>
    internal const long MaxPending = 4 << 20;

    private readonly KernelDevice _device;
    private readonly Queue<(IDownload Download, long Waits)> _pending = [];
    private long _pendingBytes;

    internal Downloads(KernelDevice device) => _device = device;

    /// <summary>Takes over a copy that was launched just now.</summary>
    internal void Add(IDownload download, DeviceStep step)
    {
        _pending.Enqueue((download, _device.Waits));
        _pendingBytes += download.Bytes;
        if (_pendingBytes > MaxPending)
        {
            FlushAll(step);
        }
    }

    /// <summary>Hands on what has come since the processor last waited for the device.</summary>
    public void Flush(DeviceStep step)
    {
        while (_pending.TryPeek(out (IDownload Download, long Waits) oldest) && oldest.Waits < _device.Waits)
        {
            _pending.Dequeue();
            _pendingBytes -= oldest.Download.Bytes;
            oldest.Download.HandOn(step);
        }
    }

    /// <summary>Waits, and hands everything on.</summary>
    public void FlushAll(DeviceStep step)
    {
        if (_pending.Count > 0)
        {
            _device.Synchronize();
            Flush(step);
        }
    }

    /// <summary>Forgets what a step has left that was broken off.</summary>
    internal void Clear()
    {
        _pending.Clear();
        _pendingBytes = 0;
    }
}
