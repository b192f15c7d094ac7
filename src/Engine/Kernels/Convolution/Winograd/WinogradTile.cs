namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>The kinds of tile.</summary>
internal enum WinogradTile
{
    /// <summary>4×4 outputs of 3×3 filters: <see cref="F4"/>.</summary>
    Four,

    /// <summary>2×2 outputs of 5×5 filters: <see cref="F25"/>.</summary>
    TwoOfFive,

    /// <summary>An image of 2×2 pixels, and 3×3 filters: <see cref="F2"/>.</summary>
    Two,
}
