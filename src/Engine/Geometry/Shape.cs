namespace ConvNet.Engine.Geometry;

/// <summary>The volume of one sample: channels C, height H, width W.</summary>
public readonly record struct Shape(int C, int H, int W)
{
    /// <summary>Values in one sample.</summary>
    public int Count => C * H * W;

    /// <summary>Pixels of one channel.</summary>
    public int Area => H * W;

    /// <summary>Blocks of 8 channels, the last one padded with zeros.</summary>
    public int Blocks => (C + 7) / 8;

    public override string ToString() => $"{C}x{H}x{W}";
}
