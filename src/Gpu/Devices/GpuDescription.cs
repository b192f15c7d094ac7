namespace ConvNet.Gpu.Devices;

/// <summary>A GPU that can be used.</summary>
/// <param name="Index">N of gpu:N.</param>
/// <param name="Name">As its maker calls it.</param>
/// <param name="MemorySize">Bytes.</param>
/// <param name="Architecture">Such as "SM_90".</param>
public sealed record GpuDescription(int Index, string Name, long MemorySize, string Architecture);
