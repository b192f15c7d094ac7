using ConvNet.Client.Monitor;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class CurveLogTests
{
    [Fact]
    public void A_curve_of_any_length_stays_bounded_and_keeps_its_mean_its_ends_and_its_order()
    {
        const int steps = 100_000;
        var log = new CurveLog();

        for (int step = 0; step < steps; step++)
        {
            log.Add(step, step);
        }

        CurvePoint[] points = log.Points;
        Assert.InRange(points.Length, CurveLog.Most / 2, CurveLog.Most);
        Assert.Equal(points.OrderBy(point => point.Step), points);
        Assert.All(points, point => Assert.Equal(point.Step, point.Value, 1e-6));
        Assert.InRange(points[0].Step, 0, 64);
        Assert.InRange(points[^1].Step, steps - 64, steps - 1);
        Assert.Equal(steps - 1, log.Last);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_left_out()
    {
        var log = new CurveLog();

        log.Add(0, 1);
        log.Add(1, double.NaN);
        log.Add(2, double.PositiveInfinity);

        Assert.Equal([new CurvePoint(0, 1)], log.Points);
        Assert.Equal(1, log.Last);
    }
}
