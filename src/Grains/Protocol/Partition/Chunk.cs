using ConvNet.Engine.Parameters;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>Consecutive blocks of one partition's storage that travel in one message: from one bucket and of one source.</summary>
/// <param name="FirstBlock">Local number of its first block.</param>
/// <param name="DeliveredByBatchNorm">True if workers do not push it; they pull it like any other.</param>
public readonly record struct Chunk(int Index, int Bucket, int FirstBlock, int BlockCount, bool DeliveredByBatchNorm)
{
    public int EndBlock => FirstBlock + BlockCount;

    /// <summary>First float in the partition's storage.</summary>
    public int Offset => FirstBlock * Parameter.BlockSize;

    /// <summary>Floats, the padding of tensors' last blocks included.</summary>
    public int Length => BlockCount * Parameter.BlockSize;
}
