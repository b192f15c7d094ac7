using ConvNet.Client.Monitor;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class WorkerMeterTests
{
    private readonly WorkerMeter _meter = new();

    [Fact]
    public void The_first_look_shows_the_mean_since_the_beginning()
    {
        WorkerPace pace = _meter.Take(Worker(samples: 1000, compute: 6, push: 4), 100);

        Assert.Equal(new WorkerPace(100, 0.6, 0, 0.4, 0), pace);
    }

    [Fact]
    public void The_next_looks_show_the_last_seconds()
    {
        _meter.Take(Worker(1000, 6, 4), 100);
        for (int second = 1; second <= 30; second++)
        {
            _meter.Take(Worker(1000 + 100 * second, 6 + 0.5 * second, 4 + 0.5 * second), 100 + second);
        }

        for (int second = 1; second <= 30; second++)
        {
            _meter.Take(Worker(4000 + 500 * second, 21 + 0.9 * second, 19 + 0.1 * second), 130 + second);
        }

        WorkerPace pace = _meter.Take(Worker(19_000, 48, 22), 160.2);

        Assert.Equal(500, pace.ImagesPerSecond, 1e-9);
        Assert.Equal((0.9, 0.1), (pace.Compute, pace.Push), Comparer);
    }

    [Fact]
    public void A_step_that_takes_longer_than_the_window_does_not_look_like_a_halt_and_a_halt_does()
    {
        _meter.Take(Worker(0, 0, 0), 0);
        _meter.Take(Worker(100, 20, 0), 20);
        _meter.Take(Worker(200, 40, 0), 40);

        Assert.Equal(5, _meter.Take(Worker(200, 40, 0), 55).ImagesPerSecond, 1e-9);
        Assert.InRange(_meter.Take(Worker(200, 40, 0), 1000).ImagesPerSecond, 0, 0.5);
    }

    [Fact]
    public void A_worker_that_begins_anew_is_measured_anew()
    {
        _meter.Take(Worker(1000, 6, 4), 100);
        _meter.Take(Worker(2000, 12, 8), 110);

        Assert.Equal(new WorkerPace(50, 1, 0, 0, 0), _meter.Take(Worker(100, 2, 0), 111));
    }

    private static bool Comparer((double, double) a, (double, double) b) =>
        Math.Abs(a.Item1 - b.Item1) < 1e-9 && Math.Abs(a.Item2 - b.Item2) < 1e-9;

    private static WorkerStatus Worker(long samples, double compute, double push) => new("node-1/0", 0, 2, 1, samples, compute, 0, push, 0);
}
