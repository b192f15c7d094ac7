using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

public class ShardPlanTests
{
    [Fact]
    public void A_worker_with_all_shards_combines_pairs_and_then_pairs_of_pairs()
    {
        var plan = new ShardPlan(new ShardTree(10, 4), 0, 4);

        Assert.Equal(
            [
                new(0, First: 0, Count: 2, Combines: 0, Root: -1),
                new(1, First: 2, Count: 3, Combines: 1, Root: -1),
                new(2, First: 5, Count: 2, Combines: 0, Root: -1),
                new(3, First: 7, Count: 3, Combines: 2, Root: 0),
            ],
            plan.Shards);
        Assert.Equal([new(2, 0)], plan.Roots);
        Assert.Equal((0, 10, 3), (plan.FirstBatchPosition, plan.Samples, plan.StackDepth));
    }

    [Fact]
    public void Shards_of_different_subtrees_stay_apart_and_samples_count_from_the_workers_first()
    {
        var plan = new ShardPlan(new ShardTree(10, 4), 1, 3);

        Assert.Equal([new(1, First: 0, Count: 3, Combines: 0, Root: 0), new(2, First: 3, Count: 2, Combines: 0, Root: 1)], plan.Shards);
        Assert.Equal([new(0, 1), new(0, 2)], plan.Roots);
        Assert.Equal((2, 5, 1), (plan.FirstBatchPosition, plan.Samples, plan.StackDepth));
    }

    [Fact]
    public void The_owner_of_the_last_shard_owns_the_missing_leaves_too()
    {
        var plan = new ShardPlan(new ShardTree(7, 5), 2, 5);

        Assert.Equal(
            [
                new(2, First: 0, Count: 2, Combines: 0, Root: -1),
                new(3, First: 2, Count: 1, Combines: 1, Root: 0),
                new(4, First: 3, Count: 2, Combines: 0, Root: 1),
            ],
            plan.Shards);
        Assert.Equal([new(1, 1), new(2, 1)], plan.Roots);
        Assert.Equal((2, 5, 2), (plan.FirstBatchPosition, plan.Samples, plan.StackDepth));
    }

    [Theory]
    [InlineData(10, 0, 4, true)]
    [InlineData(10, 0, 2, false)]
    [InlineData(10, 1, 4, false)]
    [InlineData(3, 0, 4, true)]
    [InlineData(3, 1, 4, false)]
    [InlineData(1, 0, 4, true)]
    public void A_worker_has_the_whole_batch_if_one_root_holds_all_samples(int batch, int first, int end, bool whole) =>
        Assert.Equal(whole, new ShardPlan(new ShardTree(batch, 4), first, end).HasWholeBatch);

    [Fact]
    public void Empty_shards_take_no_part()
    {
        var plan = new ShardPlan(new ShardTree(3, 4), 0, 4);

        Assert.Equal(
            [
                new(1, First: 0, Count: 1, Combines: 0, Root: -1),
                new(2, First: 1, Count: 1, Combines: 0, Root: -1),
                new(3, First: 2, Count: 1, Combines: 2, Root: 0),
            ],
            plan.Shards);
        Assert.Equal([new(2, 0)], plan.Roots);
    }

    [Fact]
    public void A_worker_without_a_sample_has_nothing_to_sum()
    {
        var plan = new ShardPlan(new ShardTree(3, 4), 0, 1);

        Assert.Empty(plan.Shards);
        Assert.Empty(plan.Roots);
        Assert.Equal(0, plan.Samples);
    }
}
