using ConvNet.Engine.Numerics;

namespace ConvNet.Gpu.Kernels.Elementwise;

/// <summary>What a dropout's mask depends on beside step, sample and element, and the layer's shape.</summary>
internal readonly struct DroppingKey
{
    public readonly uint SeedLow;
    public readonly uint SeedHigh;
    public readonly uint Tag;
    public readonly uint DropBelow;
    public readonly float Scale;
    public readonly int Channels;
    public readonly int Area;
    public readonly int Stride;

    /// <exception cref="OverflowException">The layer needs more than 28 bits; as <see cref="Philox.DropoutBlock"/>.</exception>
    public DroppingKey(ulong seed, int layer, uint dropBelow, float scale, Engine.Geometry.Shape shape)
    {
        (SeedLow, SeedHigh) = ((uint)seed, (uint)(seed >> 32));
        Tag = (uint)layer < 1u << 28
            ? ((uint)Purpose.Dropout << 28) | (uint)layer
            : throw new OverflowException($"Layer {layer} needs more than 28 bits.");
        (DropBelow, Scale) = (dropBelow, scale);
        (Channels, Area, Stride) = (shape.C, shape.Area, shape.Blocks * shape.Area * 8);
    }
}
