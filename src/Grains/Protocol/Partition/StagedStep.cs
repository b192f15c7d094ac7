using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>What a partition has received of one step: gradients by chunk, and batch-norm totals. Applies nothing.</summary>
internal sealed class StagedStep : IDisposable
{
    private readonly PartitionPlan _plan;
    private readonly StepNodes _nodes;
    private readonly ChunkStage?[] _chunks;
    private readonly Dictionary<int, UInt128> _deliveries = [];
    private readonly float[] _delivered;
    private readonly double[] _squareSums;
    private int _blocksMissing;

    /// <summary>The first bad value in local order, whatever the order of arrival: (local block, worker or −1, the root that has it).</summary>
    private (int Block, int Worker, TreeNode Root) _nonFinite = (int.MaxValue, -1, default);

    public StagedStep(PartitionPlan plan, StepNodes nodes)
    {
        _plan = plan;
        _nodes = nodes;
        _chunks = new ChunkStage?[plan.Chunks.Length];
        _delivered = new float[plan.BatchNormBlocks.Length * Parameter.BlockSize];
        _squareSums = new double[plan.Blocks.Length];
        _blocksMissing = plan.Blocks.Length;
    }

    public bool IsComplete => _blocksMissing == 0;

    /// <summary>Σg² of each block; valid when complete.</summary>
    public double[] SquareSums => _squareSums;

    /// <summary>Null if the message has the right form for its sender, else why not. Checked before anything is allocated.</summary>
    public string? WhyInvalid(int worker, int chunk, TreeNode node, int length)
    {
        if ((uint)chunk >= (uint)_chunks.Length || _plan.Chunks[chunk].DeliveredByBatchNorm)
        {
            return $"chunk {chunk}, but partition {_plan.Partition} has chunks 0 to {_chunks.Length - 1} and batch norm delivers some of them";
        }

        if (length != _plan.Chunks[chunk].Length)
        {
            return $"{length} floats for chunk {chunk}, which has {_plan.Chunks[chunk].Length}";
        }

        return _nodes.Sends(worker, node) ? null : $"tree node {node}, but its roots are {string.Join(", ", _nodes.RootsOf(worker))}";
    }

    public Verdict Push(int worker, int chunk, TreeNode node, ReadOnlySpan<float> gradient)
    {
        Chunk cut = _plan.Chunks[chunk];
        ChunkStage stage = _chunks[chunk] ??= new ChunkStage(_nodes.Tree, cut.Length);
        Verdict verdict = stage.Offer(node, gradient, out int bad);
        if (verdict != Verdict.Accepted)
        {
            return verdict;
        }

        if (bad >= 0)
        {
            NoteNonFinite(cut.FirstBlock + bad / Parameter.BlockSize, worker, node);
        }

        if (stage.IsComplete)
        {
            for (int block = cut.FirstBlock; block < cut.EndBlock; block++)
            {
                Complete(block, stage.Sum.Slice((block - cut.FirstBlock) * Parameter.BlockSize, Parameter.BlockSize));
            }
        }

        return verdict;
    }

    /// <summary>Takes this partition's part of a batch norm's totals.</summary>
    public Answer Deliver(int norm, BackwardSums totals)
    {
        UInt128 digest = Digest.Of([totals]);
        if (_deliveries.TryGetValue(norm, out UInt128 known))
        {
            return known == digest
                ? Verdict.Duplicate
                : new Answer(Verdict.Conflict, $"the totals of batch norm {norm} arrived twice with different values.");
        }

        foreach (BatchNormBlock block in _plan.BatchNormBlocks)
        {
            if (block.Norm == norm && block.Channel + block.Length > Values(block, totals).Length)
            {
                return new Answer(
                    Verdict.Rejected,
                    $"totals of {Values(block, totals).Length} channels for batch norm {norm}, which has at least {block.Channel + block.Length}.");
            }
        }

        _deliveries.Add(norm, digest);
        for (int i = 0; i < _plan.BatchNormBlocks.Length; i++)
        {
            BatchNormBlock block = _plan.BatchNormBlocks[i];
            if (block.Norm == norm)
            {
                Span<float> gradient = _delivered.AsSpan(i * Parameter.BlockSize, Parameter.BlockSize);
                ReadOnlySpan<double> values = Values(block, totals).AsSpan(block.Channel, block.Length);
                for (int c = 0; c < values.Length; c++)
                {
                    gradient[c] = (float)values[c];
                }

                Complete(block.LocalBlock, gradient);
            }
        }

        return Verdict.Accepted;
    }

    /// <summary>True if the gradient of a chunk, pushed or delivered, is complete.</summary>
    public bool IsSummed(Chunk chunk) => chunk.DeliveredByBatchNorm
        ? _plan.BatchNormBlocks.All(block => block.LocalBlock < chunk.FirstBlock || block.LocalBlock >= chunk.EndBlock || _deliveries.ContainsKey(block.Norm))
        : _chunks[chunk.Index]?.IsComplete == true;

    /// <summary>The gradient of a chunk over the whole batch; only when complete. The memory is this step's own.</summary>
    public TensorBlock SumOf(Chunk chunk)
    {
        if (!chunk.DeliveredByBatchNorm)
        {
            return _chunks[chunk.Index]!.Block;
        }

        // Blocks of batch norms are numbered in the order of the local ones.
        int first = Array.FindIndex(_plan.BatchNormBlocks, block => block.LocalBlock == chunk.FirstBlock);
        return new TensorBlock(_delivered, first * Parameter.BlockSize, chunk.Length);
    }

    /// <summary>Calls visit(first local block, gradient of consecutive whole blocks) for everything; only when complete.</summary>
    public void VisitGradients(GradientVisitor visit)
    {
        foreach (Chunk chunk in _plan.Chunks)
        {
            if (_chunks[chunk.Index] is { } stage)
            {
                visit(chunk.FirstBlock, stage.Sum);
            }
        }

        for (int i = 0; i < _plan.BatchNormBlocks.Length; i++)
        {
            visit(_plan.BatchNormBlocks[i].LocalBlock, _delivered.AsSpan(i * Parameter.BlockSize, Parameter.BlockSize));
        }
    }

    /// <summary>Null if all gradients are finite.</summary>
    public NonFiniteSource? FindNonFinite(Func<int, string> workerName)
    {
        if (_nonFinite.Block == int.MaxValue)
        {
            return null;
        }

        string what = GradientAt(_nonFinite.Block);
        int order = _plan.Blocks[_nonFinite.Block];
        return _nonFinite.Worker < 0
            ? new NonFiniteSource(what, null, Order: order)
            : new NonFiniteSource(what, workerName(_nonFinite.Worker), _nodes.SamplesOf(_nonFinite.Root), order);
    }

    /// <summary>What has arrived of a root, or null.</summary>
    public Fingerprint? PrintOf(int chunk, TreeNode node) => _chunks[chunk]?.PrintOf(node);

    /// <summary>Adds what has arrived, with the names of those who sent it.</summary>
    public void AddTo(EarlierRoots earlier, Func<int, string> workerName)
    {
        foreach (int worker in Enumerable.Range(0, _nodes.Workers))
        {
            foreach ((int chunk, TreeNode node) in _plan.Chunks.SelectMany(chunk => _nodes.RootsOf(worker).Select(node => (chunk.Index, node))))
            {
                if (PrintOf(chunk, node) is { } print)
                {
                    earlier.Add(chunk, node, workerName(worker), print);
                }
            }
        }
    }

    /// <summary>Null if everything is as it was in earlier generations.</summary>
    public Disagreement? FindDisagreement(EarlierRoots? earlier) => earlier?.Find(
        _nodes, chunk => GradientsOf(_plan.Chunks[chunk]), chunk => _plan.Blocks[_plan.Chunks[chunk].FirstBlock]);

    public void Dispose()
    {
        foreach (ChunkStage? stage in _chunks)
        {
            stage?.Release();
        }
    }

    private static double[] Values(BatchNormBlock block, BackwardSums totals) =>
        block.Role == ParameterRole.Scale ? totals.DyXhat : totals.Dy;

    private void Complete(int block, ReadOnlySpan<float> gradient)
    {
        _squareSums[block] = BlockTree.SquareSum(gradient);
        _blocksMissing--;
        if (!double.IsFinite(_squareSums[block]))
        {
            NoteNonFinite(block, -1, _nodes.Tree.Root);
        }
    }

    private static string LayerOf(Parameter tensor) => tensor.Name[..Math.Max(0, tensor.Name.LastIndexOf('.'))];

    private string GradientAt(int localBlock)
    {
        Parameter tensor = _plan.TensorAt(localBlock);
        return $"layer {LayerOf(tensor)} (gradient of {tensor.Name})";
    }

    private string GradientsOf(Chunk chunk)
    {
        (Parameter first, Parameter last) = (_plan.TensorAt(chunk.FirstBlock), _plan.TensorAt(chunk.EndBlock - 1));
        return first == last
            ? GradientAt(chunk.FirstBlock)
            : $"layers {LayerOf(first)} to {LayerOf(last)} (gradients of {first.Name} to {last.Name})";
    }

    /// <summary>A named worker says more than the sum, which is not finite then either.</summary>
    private void NoteNonFinite(int block, int worker, TreeNode root)
    {
        bool earlier = block < _nonFinite.Block;
        bool sameButNamed = block == _nonFinite.Block && worker >= 0 && (_nonFinite.Worker < 0 || worker < _nonFinite.Worker);
        if (earlier || sameButNamed)
        {
            _nonFinite = (block, worker, root);
        }
    }
}
