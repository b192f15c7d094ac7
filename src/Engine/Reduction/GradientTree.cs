using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Reduction;

/// <summary>
/// Sums the leaves of one gradient tile over a worker's shards in the order of its <see cref="ShardPlan"/>, while the tile is
/// still in cache. For each tile: <see cref="Begin"/>; then for every shard of the plan in order fill <see cref="Leaf"/> and
/// call <see cref="Commit"/>. One instance per thread.
/// </summary>
/// <example><code>
/// tree.Begin(length);
/// foreach (LocalShard shard in plan.Shards)
/// {
///     AddSamples(shard.First, shard.End, tree.Leaf());
///     if (tree.Commit(shard, out ReadOnlySpan&lt;float&gt; sum))
///     {
///         sum.CopyTo(parameter.GradientRoot(shard.Root).AsSpan(offset));
///     }
/// }
/// </code></example>
internal sealed unsafe class GradientTree
{
    /// <summary>More partial sums than any tree over int shards has at once.</summary>
    private const int MaxDepth = 32;

    private const int Alignment = 64;

    // Native memory: a thread that picks up its first tile of a layer late must not allocate managed memory then.
    private readonly nint[] _stack = new nint[MaxDepth];
    private readonly int[] _capacity = new int[MaxDepth];
    private int _depth;
    private int _length;

    ~GradientTree()
    {
        foreach (nint sum in _stack)
        {
            NativeMemory.AlignedFree((void*)sum);
        }
    }

    /// <summary>Starts a tile of <paramref name="length"/> floats.</summary>
    public void Begin(int length)
    {
        _depth = 0;
        _length = length;
    }

    /// <summary>The next shard's leaf, filled with zeros. Its memory does not move while this object is reachable.</summary>
    public Span<float> Leaf()
    {
        Span<float> leaf = LeafToOverwrite();
        leaf.Clear();
        return leaf;
    }

    /// <summary>The next shard's leaf with arbitrary contents.</summary>
    public Span<float> LeafToOverwrite()
    {
        if (_capacity[_depth] < _length)
        {
            _stack[_depth] = (nint)NativeMemory.AlignedRealloc((void*)_stack[_depth], (nuint)_length * sizeof(float), Alignment);
            _capacity[_depth] = _length;
        }

        return Sum(_depth);
    }

    /// <summary>Adds the leaf to the tree. True when that completes a root: <paramref name="sum"/> then holds it until the next call.</summary>
    public bool Commit(in LocalShard shard, out ReadOnlySpan<float> sum)
    {
        _depth++;
        for (int i = 0; i < shard.Combines; i++)
        {
            Add(Sum(_depth - 2), Sum(_depth - 1));
            _depth--;
        }

        if (shard.Root < 0)
        {
            sum = default;
            return false;
        }

        sum = Sum(--_depth);
        return true;
    }

    /// <summary>left += right, element by element. A vector of 16 costs no more where the processor makes it of two halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(Span<float> left, ReadOnlySpan<float> right)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(right.Length, left.Length);
        int i = 0;
        fixed (float* sum = left, term = right)
        {
            for (; i <= left.Length - 16; i += 16)
            {
                (Vector512.Load(sum + i) + Vector512.Load(term + i)).Store(sum + i);
            }
        }

        for (; i < left.Length; i++)
        {
            left[i] += right[i];
        }
    }

    private Span<float> Sum(int depth) => new((void*)_stack[depth], _length);
}
