using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class BatchNormStatisticsTests
{
    [Fact]
    public void Both_averages_follow_PyTorch()
    {
        var batch = new Moments(5, [2.0], [8.0]);
        BatchNormState state = BatchNormState.Initial("1", 1);
        BatchNormState exponential = BatchNormStatistics.Update(state, batch, RunningAverage.Exponential, 0);
        Assert.Equal(0.2f, exponential.RunningMean[0]);
        Assert.Equal((float)(0.9 + 0.1 * 2), exponential.RunningVar[0]);
        BatchNormState cumulative = BatchNormStatistics.Update(state, batch, RunningAverage.Cumulative, 0);
        Assert.Equal(2f, cumulative.RunningMean[0]);
        BatchNormState second = BatchNormStatistics.Update(cumulative, new Moments(5, [4.0], [16.0]), RunningAverage.Cumulative, 1);
        Assert.Equal(3f, second.RunningMean[0]);
        Assert.Equal(3f, second.RunningVar[0]);
    }
}
