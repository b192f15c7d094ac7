using ConvNet.Engine.Parameters;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// What one partition owns and how it travels: a pure function of (layout, partition, partitions), the same on every worker and
/// server. Local storage is the owned blocks by ascending global number, each <see cref="Parameter.BlockSize"/> floats.
/// </summary>
public sealed class PartitionPlan
{
    /// <summary>256 KiB of floats.</summary>
    public const int BlocksPerChunk = 64;

    private readonly int[][] _chunksOfTensor;
    private readonly Chunk[][] _pushedOfBucket;

    public PartitionPlan(ParameterLayout layout, int partition, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)partitions);
        Layout = layout;
        Partition = partition;
        Partitions = partitions;
        Blocks = [.. Enumerable.Range(0, layout.Blocks.Length).Where(block => ParameterLayout.PartitionOf(block, partitions) == partition)];
        Chunks = [.. CutChunks()];
        BatchNormBlocks = [.. FindBatchNormBlocks()];
        ILookup<int, Chunk> pushed = Chunks.Where(chunk => !chunk.DeliveredByBatchNorm).ToLookup(chunk => chunk.Bucket);
        _pushedOfBucket = [.. layout.Buckets.Select(bucket => pushed[bucket.Index].ToArray())];
        _chunksOfTensor = new int[layout.Tensors.Count][];
        for (int tensor = 0; tensor < _chunksOfTensor.Length; tensor++)
        {
            _chunksOfTensor[tensor] = [.. Chunks.Where(chunk => Holds(chunk, tensor)).Select(chunk => chunk.Index)];
        }
    }

    public ParameterLayout Layout { get; }

    public int Partition { get; }

    public int Partitions { get; }

    /// <summary>Global numbers of the owned blocks; the index is the local number.</summary>
    public int[] Blocks { get; }

    /// <summary>Floats of local storage.</summary>
    public int Length => Blocks.Length * Parameter.BlockSize;

    /// <summary>Chunks in backward order; together they are the whole of local storage.</summary>
    public Chunk[] Chunks { get; }

    public BatchNormBlock[] BatchNormBlocks { get; }

    /// <summary>Indices of the chunks that hold a part of this tensor.</summary>
    public ReadOnlySpan<int> ChunksOfTensor(int tensor) => _chunksOfTensor[tensor];

    /// <summary>The chunks of a bucket that workers push, in order.</summary>
    public ReadOnlySpan<Chunk> PushedChunksOf(int bucket) => _pushedOfBucket[bucket];

    /// <summary>The block at this local number.</summary>
    public Block BlockAt(int localBlock) => Layout.Blocks[Blocks[localBlock]];

    public Parameter TensorAt(int localBlock) => Layout.Tensors[BlockAt(localBlock).Tensor];

    /// <summary>Copies this partition's blocks of a tensor from its values in logical order (padding optional) into local storage.</summary>
    public void Gather(int tensor, ReadOnlySpan<float> values, Span<float> local)
    {
        foreach (int localBlock in LocalBlocksOf(tensor))
        {
            Block block = BlockAt(localBlock);
            values.Slice(block.Offset, block.Length).CopyTo(local[(localBlock * Parameter.BlockSize)..]);
        }
    }

    /// <summary>Copies one chunk's floats to the tensors that they belong to; the whole padded blocks.</summary>
    /// <param name="values">For a tensor's index, its values padded to whole blocks (<see cref="Parameter.Values"/>).</param>
    public void ScatterChunk(int chunk, ReadOnlySpan<float> floats, Func<int, float[]> values)
    {
        Chunk cut = Chunks[chunk];
        for (int i = 0; i < cut.BlockCount; i++)
        {
            Block block = BlockAt(cut.FirstBlock + i);
            floats.Slice(i * Parameter.BlockSize, Parameter.BlockSize).CopyTo(values(block.Tensor).AsSpan(block.Offset, Parameter.BlockSize));
        }
    }

    /// <summary>Collects one chunk's floats from the tensors that they belong to, for a push.</summary>
    /// <param name="values">For a tensor's index, its values padded to whole blocks (<see cref="Parameter.GradientRoot"/>).</param>
    public void GatherChunk(int chunk, Func<int, float[]> values, Span<float> floats)
    {
        Chunk cut = Chunks[chunk];
        for (int i = 0; i < cut.BlockCount; i++)
        {
            Block block = BlockAt(cut.FirstBlock + i);
            values(block.Tensor).AsSpan(block.Offset, Parameter.BlockSize).CopyTo(floats[(i * Parameter.BlockSize)..]);
        }
    }

    private IEnumerable<int> LocalBlocksOf(int tensor) =>
        Layout.BlocksOfTensor[tensor].Where(block => ParameterLayout.PartitionOf(block, Partitions) == Partition).Select(block => block / Partitions);

    private bool Holds(Chunk chunk, int tensor)
    {
        for (int block = chunk.FirstBlock; block < chunk.EndBlock; block++)
        {
            if (BlockAt(block).Tensor == tensor)
            {
                return true;
            }
        }

        return false;
    }

    private IEnumerable<Chunk> CutChunks()
    {
        int index = 0;
        int local = 0;
        foreach (Bucket bucket in Layout.Buckets)
        {
            while (local < Blocks.Length && Blocks[local] < bucket.EndBlock)
            {
                bool delivered = Layout.DeliveredByBatchNorm(Blocks[local]);
                int end = local + 1;
                while (end < Blocks.Length && end - local < BlocksPerChunk && Blocks[end] < bucket.EndBlock
                    && Layout.DeliveredByBatchNorm(Blocks[end]) == delivered)
                {
                    end++;
                }

                yield return new Chunk(index++, bucket.Index, local, end - local, delivered);
                local = end;
            }
        }
    }

    private IEnumerable<BatchNormBlock> FindBatchNormBlocks()
    {
        // Layers and batch norms are counted in the same order, so the rank of a layer among those with delivered tensors is its norm.
        List<int> layers = [.. Layout.Tensors.Where(tensor => tensor.DeliveredByBatchNorm).Select(tensor => tensor.Layer).Distinct()];
        for (int local = 0; local < Blocks.Length; local++)
        {
            Parameter tensor = TensorAt(local);
            if (tensor.DeliveredByBatchNorm)
            {
                Block block = BlockAt(local);
                yield return new BatchNormBlock(local, layers.IndexOf(tensor.Layer), tensor.Role, block.Offset, block.Length);
            }
        }
    }
}
