namespace ConvNet.Engine.Reduction;

/// <summary>
/// The plan's order of additions for small values (moments, batch-norm sums, metrics), in memory that is reused from step to step:
/// <see cref="Reserve"/>, fill the leaves, <see cref="Reduce"/>.
/// </summary>
/// <param name="create">A leaf that is to be filled.</param>
/// <param name="combine">combine(left, right); may reuse the left value's memory for the result.</param>
internal sealed class ShardReduction<T>(Func<T> create, Func<T, T, T> combine)
{
    private T[] _leaves = [];
    private T[] _roots = [];

    /// <summary>The value of the plan's i-th shard: to fill after <see cref="Reserve"/>, used up by <see cref="Reduce"/>.</summary>
    public ref T this[int i] => ref _leaves[i];

    public void Reserve(ShardPlan plan)
    {
        int old = _leaves.Length;
        if (old < plan.Shards.Length)
        {
            Array.Resize(ref _leaves, plan.Shards.Length);
            for (int i = old; i < _leaves.Length; i++)
            {
                _leaves[i] = create();
            }
        }
    }

    /// <summary>Combines the leaves to one value per root of the plan; the array and its values last until the next call.</summary>
    public T[] Reduce(ShardPlan plan)
    {
        if (_roots.Length != plan.Roots.Length)
        {
            _roots = new T[plan.Roots.Length];
        }

        Span<int> stack = stackalloc int[plan.StackDepth];
        int depth = 0;
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            stack[depth++] = i;
            for (int combines = plan.Shards[i].Combines; combines > 0; combines--)
            {
                depth--;
                ref T left = ref _leaves[stack[depth - 1]];
                left = combine(left, _leaves[stack[depth]]);
            }

            if (plan.Shards[i].Root >= 0)
            {
                _roots[plan.Shards[i].Root] = _leaves[stack[--depth]];
            }
        }

        return _roots;
    }
}
