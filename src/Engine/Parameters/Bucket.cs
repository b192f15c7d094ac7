namespace ConvNet.Engine.Parameters;

/// <summary>Blocks that become complete together in backward order, and travel together.</summary>
/// <param name="Index">Position in backward order: bucket 0 is complete first, and is needed last in forward.</param>
public readonly record struct Bucket(int Index, int FirstBlock, int BlockCount)
{
    public int EndBlock => FirstBlock + BlockCount;
}
