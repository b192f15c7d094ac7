using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Optimizers;

public class LearningRateScheduleTests
{
    /// <summary>5 steps per epoch, 4 epochs.</summary>
    private static readonly JobShape Job = new(Samples: 50, Batch: 11, Shards: 4, TotalSteps: 20);

    [Fact]
    public void Constant_stays_at_the_base_rate()
    {
        Assert.All(Rates(new ConstantSchedule()), rate => Assert.Equal(0.5, rate));
    }

    [Fact]
    public void Cosine_falls_from_the_base_rate_towards_the_minimum()
    {
        double[] rates = Rates(new CosineSchedule { MinimumRate = 0.1 });

        Assert.Equal(0.5, rates[0]);
        Assert.Equal(0.3, rates[10], 14);
        Assert.Equal(0.1 + 0.4 * 0.5 * (1 + Math.Cos(Math.PI * 19 / 20)), rates[19], 14);
    }

    [Fact]
    public void Warm_up_rises_in_equal_parts_and_cosine_starts_after_it()
    {
        double[] rates = Rates(new CosineSchedule { WarmUpSteps = 4 });

        Assert.Equal([0.125, 0.25, 0.375, 0.5, 0.5], rates[..5]);
        Assert.Equal(0.25, rates[12], 14);
    }

    [Fact]
    public void Step_drops_at_milestones_epochs_or_steps()
    {
        double[] milestones = Rates(new StepSchedule { Milestones = [1, 3] });
        double[] epochs = Rates(new StepSchedule { EveryEpochs = 2, Factor = 0.5 });
        double[] steps = Rates(new StepSchedule { EverySteps = 7, Factor = 0.5 });

        Assert.Equal([0.5, 0.05, 0.05, 0.005], [milestones[4], milestones[5], milestones[14], milestones[15]], Close);
        Assert.Equal([0.5, 0.25], [epochs[9], epochs[10]], Close);
        Assert.Equal([0.5, 0.25, 0.25, 0.125], [steps[6], steps[7], steps[13], steps[14]], Close);
    }

    [Fact]
    public void Schedules_survive_JSON()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        const string json = """{"type":"step","factor":0.2,"milestones":[3,5],"warmUpSteps":9}""";

        var schedule = Assert.IsType<StepSchedule>(JsonSerializer.Deserialize<LearningRateSchedule>(json, options));

        Assert.Equal((0.2, 9L), (schedule.Factor, schedule.WarmUpSteps));
        Assert.Equal([3, 5], schedule.Milestones);
        Assert.Equal(new CosineSchedule { MinimumRate = 1 }, JsonSerializer.Deserialize<LearningRateSchedule>("""{"type":"cosine","minimumRate":1}""", options));
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Assert.Contains("factor", Assert.Throws<ConvNetException>(new StepSchedule { Factor = 0 }.Validate).Message);
        Assert.Contains("milestones", Assert.Throws<ConvNetException>(new StepSchedule().Validate).Message);
        Assert.Contains("minimumRate", Assert.Throws<ConvNetException>(new CosineSchedule { MinimumRate = -1 }.Validate).Message);
        Assert.Contains("warmUpSteps", Assert.Throws<ConvNetException>(new ConstantSchedule { WarmUpSteps = -1 }.Validate).Message);
    }

    private static bool Close(double a, double b) => Math.Abs(a - b) < 1e-15;

    private static double[] Rates(LearningRateSchedule schedule) =>
        [.. Enumerable.Range(0, (int)Job.TotalSteps).Select(step => schedule.RateOf(0.5, step, Job))];
}
