namespace ConvNet.Engine.Geometry;

/// <summary>A (height, width) pair: kernel size, stride, padding or dilation.</summary>
public readonly record struct Size(int H, int W)
{
    public static implicit operator Size(int both) => new(both, both);

    public override string ToString() => H == W ? $"{H}" : $"{H}x{W}";
}
