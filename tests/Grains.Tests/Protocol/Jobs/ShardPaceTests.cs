using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class ShardPaceTests
{
    private readonly ShardPace _pace = new();
    private CompletedSteps _done = new(100, 300, 50, 80);

    public ShardPaceTests() => _pace.Measure(_done);

    [Fact]
    public void Twenty_steps_after_the_first_sight_are_needed_however_often_the_worker_is_seen()
    {
        for (int step = 0; step < 19; step++)
        {
            Work(1, 0.5);
            _pace.Measure(_done);
        }

        Assert.False(_pace.IsMeasured);
        Work(1, 0.5);
        Assert.True(_pace.IsMeasured);
        Assert.Equal(5, _pace.Blocks);
        Assert.Equal(0.5, _pace.SecondsPerShard, 1e-9);
        Assert.Equal(2.5, _pace.SecondsPerStep, 1e-9);
    }

    [Fact]
    public void A_pause_in_one_block_does_not_count_and_the_last_blocks_do()
    {
        Array.ForEach([0.5, 0.5, 20, 0.5, 0.5], seconds => Work(4, seconds));
        Assert.Equal(0.5, _pace.SecondsPerShard, 1e-9);
        Array.ForEach([0.1, 0.1, 0.1], seconds => Work(4, seconds));
        Assert.Equal(0.1, _pace.SecondsPerShard, 1e-9);
    }

    private void Work(int steps, double secondsPerShard)
    {
        double seconds = 3 * steps * secondsPerShard;
        _done = new CompletedSteps(_done.Steps + steps, _done.Shards + 3 * steps, _done.ComputeSeconds + seconds, _done.Seconds + seconds + steps);
        _pace.Measure(_done);
    }
}
