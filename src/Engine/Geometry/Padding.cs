namespace ConvNet.Engine.Geometry;

/// <summary>Zero-padding on each side: a (height, width) pair, or whatever keeps the size at stride 1.</summary>
public readonly record struct Padding(Size Amount, bool IsSame = false)
{
    /// <summary>D(F−1)/2 on each side: output size = input size. Needs stride 1 and odd F.</summary>
    public static Padding Same { get; } = new(default, true);

    public static implicit operator Padding(int both) => new(both);

    public static implicit operator Padding(Size amount) => new(amount);

    public override string ToString() => IsSame ? "same" : Amount.ToString();
}
