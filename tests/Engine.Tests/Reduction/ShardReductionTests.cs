using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

public class ShardReductionTests
{
    [Fact]
    public void Every_range_of_shards_gives_the_sums_of_its_subtrees()
    {
        var reduction = new ShardReduction<string>(() => "", Combine);
        foreach ((int batch, int shards) in TreeOracle.Jobs)
        {
            var tree = new ShardTree(batch, shards);
            foreach (ShardPlan plan in TreeOracle.Plans(tree))
            {
                reduction.Reserve(plan);
                for (int i = 0; i < plan.Shards.Length; i++)
                {
                    reduction[i] = $"{plan.Shards[i].Shard}";
                }

                Assert.Equal(plan.Roots.Select(root => TreeOracle.Sum(tree, root, shard => $"{shard}", Combine)), reduction.Reduce(plan));
            }
        }
    }

    private static string Combine(string left, string right) => $"({left}+{right})";
}
