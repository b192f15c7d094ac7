using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class WorkerSamplesTests
{
    [Theory]
    [InlineData(23, 10, 4, false)]
    [InlineData(23, 10, 4, true)]
    [InlineData(20, 10, 3, false)]
    [InlineData(8, 3, 4, false)]
    public void The_counts_are_those_of_the_shard_trees_step_by_step(int samples, int batch, int shards, bool dropLast)
    {
        var shape = new JobShape(samples, batch, shards, 100, dropLast);
        Assignment first = Generation(1, shards, "a/0", "b/0");
        Assignment second = Generation(2, shards, "b/0", "c/0", "d/0");
        var counted = new WorkerSamples(shape);
        counted.Include(first);
        counted.Add(first, 0, 1);
        counted.Add(first, 1, 7);
        counted.Include(second);
        counted.Add(second, 7, 19);

        var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (long step = 0; step < 19; step++)
        {
            foreach (AssignedWorker worker in (step < 7 ? first : second).Workers)
            {
                var plan = new ShardPlan(shape.TreeOf(step), worker.Shards.First, worker.Shards.End);
                expected[worker.Name] = expected.GetValueOrDefault(worker.Name) + plan.Samples;
            }
        }

        Assert.Equal(expected, counted.ByWorker.ToDictionary(pair => pair.Key, pair => pair.Value));
    }

    private static Assignment Generation(long generation, int shards, params string[] workers)
    {
        ShardRange[] ranges = ShardAssignment.Assign(shards, [.. workers.Select(_ => 1.0)]);
        return new Assignment(
            "job", "", generation, 0, [.. workers.Zip(ranges, (name, range) => new AssignedWorker(name, 1, range, 1))], new ServerKeys([], "", "", ""));
    }
}
