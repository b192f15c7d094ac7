using System.Reflection;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>A launch or a copy that a device is to carry out.</summary>
/// <param name="Issue">Puts it into a stream; with what it was made of, however often it is called.</param>
/// <param name="Kernel">Null for a copy.</param>
/// <param name="IsAside">
/// True if it may run beside what follows it on the main side: it waits for all before it, and only what comes after the next
/// <see cref="CommandQueue.Submit"/> waits for it.
/// </param>
internal readonly record struct DeviceCommand(Action<AcceleratorStream> Issue, MethodInfo? Kernel, bool IsAside);
