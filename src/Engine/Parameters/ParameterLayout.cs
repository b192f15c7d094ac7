namespace ConvNet.Engine.Parameters;

/// <summary>
/// How a model's tensors are cut into blocks and buckets. A pure function of the model, the same on every worker and server.
/// Blocks are numbered in backward order (the last layer's first). Within a bucket, blocks that workers push come before those
/// that the batch-norm activation delivers.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>1 MiB of floats.</summary>
    private const int BlocksPerBucket = 256;

    public ParameterLayout(IReadOnlyList<Parameter> tensors)
    {
        Tensors = tensors;
        var blocks = new List<Block>();
        var buckets = new List<Bucket>();
        var open = new List<Block>();
        for (int tensor = tensors.Count - 1; tensor >= 0; tensor--)
        {
            for (int offset = 0; offset < tensors[tensor].Count; offset += Parameter.BlockSize)
            {
                open.Add(new Block(tensor, offset, Math.Min(Parameter.BlockSize, tensors[tensor].Count - offset)));
                if (open.Count == BlocksPerBucket)
                {
                    Close();
                }
            }
        }

        Close();
        Blocks = [.. blocks];
        Buckets = [.. buckets];
        BlocksOfTensor = new int[tensors.Count][];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, Blocks.Length).GroupBy(b => Blocks[b].Tensor))
        {
            BlocksOfTensor[group.Key] = [.. group.OrderBy(b => Blocks[b].Offset)];
        }

        void Close()
        {
            if (open.Count > 0)
            {
                buckets.Add(new Bucket(buckets.Count, blocks.Count, open.Count));
                blocks.AddRange(open.OrderBy(block => tensors[block.Tensor].DeliveredByBatchNorm));
                open.Clear();
            }
        }
    }

    /// <summary>All trainable tensors in the model's (forward) order.</summary>
    public IReadOnlyList<Parameter> Tensors { get; }

    public Block[] Blocks { get; }

    public Bucket[] Buckets { get; }

    /// <summary>For each tensor, its block numbers in order of offset.</summary>
    public int[][] BlocksOfTensor { get; }

    public bool DeliveredByBatchNorm(int block) => Tensors[Blocks[block].Tensor].DeliveredByBatchNorm;

    /// <summary>The partition that owns a block: every bucket is dealt evenly over all partitions.</summary>
    public static int PartitionOf(int block, int partitions) => block % partitions;
}
