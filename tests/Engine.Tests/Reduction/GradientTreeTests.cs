using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

/// <summary>Bit by bit against the recursive sum over the tree, for every range of shards that a worker may have.</summary>
public class GradientTreeTests
{
    /// <summary>Floats of a tile: less than a vector, whole vectors, and whole vectors with a rest.</summary>
    private static readonly int[] Lengths = [1, 7, 8, 13, 100];

    public static TheoryData<int, int> Jobs
    {
        get
        {
            var jobs = new TheoryData<int, int>();
            foreach ((int batch, int shards) in TreeOracle.Jobs)
            {
                jobs.Add(batch, shards);
            }

            return jobs;
        }
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public void Every_range_of_shards_gives_the_sums_of_its_subtrees(int batch, int shards)
    {
        var tree = new ShardTree(batch, shards);
        var sums = new GradientTree();
        foreach (ShardPlan plan in TreeOracle.Plans(tree))
        {
            foreach (int length in Lengths)
            {
                float[][] roots = Reduce(sums, plan, length);
                AssertSameBits(plan.Roots.Select(root => Sum(tree, root, length)), roots);
            }
        }
    }

    [Theory]
    [InlineData(10, 4, new[] { 4 })]
    [InlineData(10, 4, new[] { 1, 4 })]
    [InlineData(10, 4, new[] { 1, 2, 3, 4 })]
    [InlineData(3, 4, new[] { 1, 3, 4 })]
    [InlineData(13, 6, new[] { 2, 5, 6 })]
    [InlineData(9, 11, new[] { 3, 4, 11 })]
    public void The_roots_of_all_workers_complete_to_the_sum_of_one(int batch, int shards, int[] ends)
    {
        const int Length = 21;
        var tree = new ShardTree(batch, shards);
        var whole = new TreeCompletion<float[]>(tree, Add);
        var sums = new GradientTree();
        for (int worker = ends.Length - 1; worker >= 0; worker--)
        {
            var plan = new ShardPlan(tree, worker == 0 ? 0 : ends[worker - 1], ends[worker]);
            foreach ((TreeNode root, float[] sum) in plan.Roots.Zip(Reduce(sums, plan, Length)))
            {
                whole.Offer(root, sum);
            }
        }

        AssertSameBits([Sum(tree, tree.Root, Length)], [whole.Result!]);
    }

    /// <summary>Values whose sum depends on the order; otherwise the comparisons above would show little.</summary>
    [Fact]
    public void The_tree_is_not_the_sum_from_left_to_right()
    {
        float[] inOrder = Enumerable.Range(0, 8).Select(shard => LeafOf(shard, 100)).Aggregate(Add);
        Assert.NotEqual(inOrder, Sum(new ShardTree(40, 8), new TreeNode(3, 0), 100));
    }

    [Fact]
    public void Every_leaf_starts_at_zero()
    {
        var plan = new ShardPlan(new ShardTree(4, 2), 0, 2);
        var sums = new GradientTree();
        Reduce(sums, plan, 30);

        sums.Begin(20);
        foreach (LocalShard shard in plan.Shards)
        {
            Span<float> leaf = sums.Leaf();
            Assert.Equal(new float[20], leaf.ToArray());
            leaf.Fill(1);
            sums.Commit(shard, out _);
        }
    }

    /// <summary>The sum of each root of the plan.</summary>
    private static float[][] Reduce(GradientTree sums, ShardPlan plan, int length)
    {
        var roots = new float[plan.Roots.Length][];
        sums.Begin(length);
        foreach (LocalShard shard in plan.Shards)
        {
            LeafOf(shard.Shard, length).CopyTo(sums.LeafToOverwrite());
            if (sums.Commit(shard, out ReadOnlySpan<float> sum))
            {
                Assert.Null(roots[shard.Root]);
                roots[shard.Root] = sum.ToArray();
            }
        }

        return roots;
    }

    private static float[] Sum(ShardTree tree, TreeNode node, int length) => TreeOracle.Sum(tree, node, shard => LeafOf(shard, length), Add);

    private static float[] Add(float[] left, float[] right) => [.. left.Zip(right, (a, b) => a + b)];

    /// <summary>Of either sign, from 1e-3 to 1e4.</summary>
    private static float[] LeafOf(int shard, int length)
    {
        var random = new Random(shard);
        return [.. Enumerable.Range(0, length).Select(_ => (float)((random.Next(2) * 2 - 1) * Math.Pow(10, random.NextDouble() * 7 - 3)))];
    }

    private static void AssertSameBits(IEnumerable<float[]> expected, IEnumerable<float[]> actual) =>
        Assert.Equal(expected.Select(sum => sum.Select(BitConverter.SingleToUInt32Bits)), actual.Select(sum => sum.Select(BitConverter.SingleToUInt32Bits)));
}
