using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

public class JobShapeTests
{
    /// <summary>5 steps per epoch, 4 epochs.</summary>
    private static readonly JobShape Job = new(Samples: 50, Batch: 11, Shards: 4, TotalSteps: 20);

    [Fact]
    public void The_last_step_of_an_epoch_has_the_samples_that_are_left()
    {
        Assert.Equal(5, Job.StepsPerEpoch);
        Assert.Equal(20, Job.TotalSteps);
        Assert.Equal([11, 11, 11, 11, 6, 11], Enumerable.Range(0, 6).Select(step => Job.BatchOf(step)));
        Assert.Equal([33, 44, 0], [Job.FirstPositionOf(3), Job.FirstPositionOf(4), Job.FirstPositionOf(5)]);
        Assert.Equal((0, 1, true), (Job.EpochOf(4), Job.EpochOf(5), Job.EndsEpoch(9)));
    }

    [Fact]
    public void Without_its_smaller_last_batch_an_epoch_has_whole_batches_only()
    {
        JobShape job = Job with { DropLast = true };

        Assert.Equal(4, job.StepsPerEpoch);
        Assert.Equal([11, 11, 11, 11, 11], Enumerable.Range(0, 5).Select(step => job.BatchOf(step)));
        Assert.Equal([33, 0], [job.FirstPositionOf(3), job.FirstPositionOf(4)]);
        Assert.Equal((0, 1, true), (job.EpochOf(3), job.EpochOf(4), job.EndsEpoch(3)));
        Assert.Equal((Job with { Samples = 44 }).StepsPerEpoch, (Job with { Samples = 44, DropLast = true }).StepsPerEpoch);
    }

    [Fact]
    public void A_batch_larger_than_the_data_set_is_the_whole_data_set()
    {
        var job = new JobShape(10, 64, 4, 3);

        Assert.Equal(1, job.StepsPerEpoch);
        Assert.Equal(10, job.BatchOf(2));
    }
}
