namespace ConvNet.Silo.Devices;

/// <summary>A card, as its driver describes it.</summary>
/// <param name="Capability">Its compute capability: "9.0".</param>
/// <param name="Driver">The version of the driver.</param>
public sealed record CudaCard(int Index, string Name, long MemoryBytes, string Capability, string Driver)
{
    /// <summary>As in the option <c>--device</c>.</summary>
    public string Device => $"gpu:{Index}";
}
