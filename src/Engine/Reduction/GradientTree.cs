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
internal sealed class GradientTree
{
    private readonly List<float[]> _stack = [];
    private int _depth;
    private int _length;

    /// <summary>Starts a tile of <paramref name="length"/> floats.</summary>
    public void Begin(int length)
    {
        _depth = 0;
        _length = length;
    }

    /// <summary>The next shard's leaf, filled with zeros. Its memory is pinned.</summary>
    public Span<float> Leaf()
    {
        if (_depth == _stack.Count)
        {
            _stack.Add([]);
        }

        if (_stack[_depth].Length < _length)
        {
            _stack[_depth] = GC.AllocateUninitializedArray<float>(_length, pinned: true);
        }

        Span<float> leaf = _stack[_depth].AsSpan(0, _length);
        leaf.Clear();
        return leaf;
    }

    /// <summary>Adds the leaf to the tree. True when that completes a root: <paramref name="sum"/> then holds it until the next call.</summary>
    public bool Commit(in LocalShard shard, out ReadOnlySpan<float> sum)
    {
        _depth++;
        for (int i = 0; i < shard.Combines; i++)
        {
            Add(_stack[_depth - 2].AsSpan(0, _length), _stack[_depth - 1].AsSpan(0, _length));
            _depth--;
        }

        if (shard.Root < 0)
        {
            sum = default;
            return false;
        }

        sum = _stack[--_depth].AsSpan(0, _length);
        return true;
    }

    /// <summary>A whole small tensor whose leaves are already known: sums them to its roots and reports it as ready.</summary>
    /// <param name="leaf">The values of the plan's i-th shard; rounded to float here.</param>
    public void Reduce(Parameter parameter, StepContext step, Func<int, double[]> leaf)
    {
        Begin(parameter.Count);
        for (int i = 0; i < step.Plan.Shards.Length; i++)
        {
            double[] values = leaf(i);
            Span<float> rounded = Leaf();
            for (int j = 0; j < rounded.Length; j++)
            {
                rounded[j] = (float)values[j];
            }

            LocalShard shard = step.Plan.Shards[i];
            if (Commit(shard, out ReadOnlySpan<float> sum))
            {
                sum.CopyTo(parameter.GradientRoot(shard.Root));
            }
        }

        step.Exchange.GradientReady(parameter);
    }

    /// <summary>left += right, element by element.</summary>
    public static void Add(Span<float> left, ReadOnlySpan<float> right)
    {
        int i = 0;
        for (; i <= left.Length - 8; i += 8)
        {
            (Vector256.Create<float>(left[i..]) + Vector256.Create<float>(right[i..])).CopyTo(left[i..]);
        }

        for (; i < left.Length; i++)
        {
            left[i] += right[i];
        }
    }
}
