using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>How a kind of device carries commands out.</summary>
internal interface ICommandStreams : IDisposable
{
    /// <summary>In which a wait is a wait for all that has been issued.</summary>
    AcceleratorStream Main { get; }

    /// <summary>Whether <see cref="Record"/> is worth a try.</summary>
    bool Records { get; }

    /// <summary>Starts the commands, after all that has been issued before; those aside may run beside others as they say.</summary>
    void Issue(IReadOnlyList<DeviceCommand> commands);

    /// <summary>Makes one thing of commands, without carrying them out; null if that does not succeed.</summary>
    IRecording? Record(IReadOnlyList<DeviceCommand> commands);
}
