namespace ConvNet.Engine.Reduction;

/// <summary>The plan's order of additions for small values: moments, batch-norm sums, metrics.</summary>
internal static class ShardReduction
{
    /// <summary>Combines one leaf per local shard, in the plan's order, to one value per root.</summary>
    /// <param name="leaf">The value of the plan's i-th shard.</param>
    /// <param name="combine">combine(left, right).</param>
    public static T[] Roots<T>(ShardPlan plan, Func<int, T> leaf, Func<T, T, T> combine)
    {
        var roots = new T[plan.Roots.Length];
        var stack = new Stack<T>(plan.StackDepth);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            stack.Push(leaf(i));
            for (int combines = plan.Shards[i].Combines; combines > 0; combines--)
            {
                T right = stack.Pop();
                stack.Push(combine(stack.Pop(), right));
            }

            if (plan.Shards[i].Root >= 0)
            {
                roots[plan.Shards[i].Root] = stack.Pop();
            }
        }

        return roots;
    }
}
