using ConvNet.Engine.Data;
using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public class BatchPlanTests
{
    [Theory]
    [InlineData(12000, 130, 93)]
    [InlineData(12000, 64, 188)]
    [InlineData(10, 5, 2)]
    [InlineData(3, 100, 1)]
    [InlineData(1, 1, 1)]
    public void Every_epoch_visits_every_sample_once(int samples, int batch, int steps)
    {
        var plan = new BatchPlan(1, Shape(samples, batch));
        Assert.Equal(steps, plan.Job.StepsPerEpoch);
        for (int epoch = 0; epoch < 2; epoch++)
        {
            var seen = new List<int>();
            for (long step = (long)epoch * steps; step < (epoch + 1L) * steps; step++)
            {
                Assert.Equal(epoch, plan.Job.EpochOf(step));
                Assert.Equal(plan.Job.BatchOf(step), plan.Samples(step).Length);
                seen.AddRange(plan.Samples(step));
            }

            Assert.Equal(Enumerable.Range(0, samples), seen.Order());
        }
    }

    [Fact]
    public void Only_the_last_batch_of_an_epoch_is_smaller()
    {
        var plan = new BatchPlan(1, Shape(12000, 130));
        Assert.Equal(130, plan.Job.BatchOf(91));
        Assert.Equal(40, plan.Job.BatchOf(92));
        Assert.Equal(130, plan.Job.BatchOf(93));
        Assert.Equal(40, plan.Job.BatchOf(93 + 92));
    }

    [Fact]
    public void Without_the_last_batch_an_epoch_is_the_beginning_of_its_order_and_the_next_one_has_another()
    {
        var plan = new BatchPlan(1, Shape(23, 10) with { DropLast = true });
        for (int epoch = 0; epoch < 3; epoch++)
        {
            int[] order = BatchPlan.Permutation(1, epoch, 23);
            Assert.Equal(order[..10], plan.Samples(2 * epoch).ToArray());
            Assert.Equal(order[10..20], plan.Samples(2 * epoch + 1).ToArray());
        }
    }

    [Fact]
    public void The_order_depends_on_seed_and_epoch_only()
    {
        int[] first = [.. new BatchPlan(1, Shape(100, 7)).Samples(20)];
        var other = new BatchPlan(1, Shape(100, 7));
        _ = other.Samples(3);
        Assert.Equal(first, other.Samples(20).ToArray());
        Assert.NotEqual(BatchPlan.Permutation(1, 0, 100), BatchPlan.Permutation(1, 1, 100));
        Assert.NotEqual(BatchPlan.Permutation(1, 0, 100), BatchPlan.Permutation(2, 0, 100));
        Assert.Equal(BatchPlan.Permutation(1, 1, 100), BatchPlan.Permutation(1, 1, 100));
    }

    [Fact]
    public void The_order_of_a_seed_never_changes()
    {
        Assert.Equal("1 3 6 0 7 2 8 5 4 9", string.Join(" ", BatchPlan.Permutation(1, 0, 10)));
    }

    [Fact]
    public void Every_place_is_equally_likely()
    {
        int[] counts = new int[5];
        for (int epoch = 0; epoch < 5000; epoch++)
        {
            counts[Array.IndexOf(BatchPlan.Permutation(9, epoch, 5), 0)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }

    private static JobShape Shape(int samples, int batch) => new(samples, batch, Shards: 4, TotalSteps: 1000);
}
