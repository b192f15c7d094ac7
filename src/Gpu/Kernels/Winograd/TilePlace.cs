namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Where the tile of an item lies, and which lane of its channels the item has.</summary>
internal struct TilePlace
{
    public int Sample, Block, Lane;

    /// <summary>The first row and column; before the image where its edge is padded.</summary>
    public int H, W;

    public static TilePlace Of(int item, TileGrid grid)
    {
        int tile = grid.First + item / 8 % grid.Count;
        int perImage = grid.Rows * grid.Columns;
        int place = tile % perImage;
        TilePlace found = default;
        found.Sample = tile / perImage;
        found.Block = item / 8 / grid.Count;
        found.Lane = item % 8;
        found.H = place / grid.Columns * grid.Size - grid.Top;
        found.W = place % grid.Columns * grid.Size - grid.Left;
        return found;
    }
}
