namespace ConvNet.Gpu.Devices;

/// <summary>A card, as its driver describes it.</summary>
/// <param name="Index">The N of gpu:N; <c>CUDA_VISIBLE_DEVICES</c> limits and orders the cards.</param>
/// <param name="Name">As its maker calls it.</param>
/// <param name="Capability">Its compute capability: "9.0".</param>
/// <param name="Driver">The version of the driver.</param>
public sealed record CudaCard(int Index, string Name, long MemoryBytes, string Capability, string Driver)
{
    /// <summary>As in the option <c>--device</c>.</summary>
    public string Device => $"gpu:{Index}";
}
