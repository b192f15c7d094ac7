using ConvNet.Client.Cluster;
using ConvNet.Client.Monitor;
using ConvNet.Client.Tests.Runs;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class ClusterWatchTests : IAsyncDisposable
{
    private readonly ManualClock _clock = new();
    private readonly FakeCluster _cluster = new();
    private readonly ClusterWatch _watch;
    private Func<ClusterConnection> _connect;

    public ClusterWatchTests()
    {
        _connect = () => _cluster;
        _watch = new ClusterWatch(_cluster, () => Task.Run(() => _connect()), _clock);
    }

    public ValueTask DisposeAsync() => _watch.DisposeAsync();

    [Fact]
    public async Task A_job_costs_a_question_a_second_and_one_that_is_over_a_fifth_and_neither_is_asked_for_rows()
    {
        FakeJob live = Job("a", 5), over = Job("b", 20);
        over.Complete();

        for (int cycle = 0; cycle < 40; cycle++)
        {
            await CycleAsync();
        }

        Assert.Equal((10, 2, 10), (live.Queries.Count, over.Queries.Count, _cluster.Lists));
        Assert.All([.. live.Queries, .. over.Queries], query => Assert.Equal(new StatusQuery(), query));
        Assert.Equal(["a", "b"], _watch.Picture.Ids);
        Assert.Equal("node-1", Assert.Single(_watch.Picture.Silos).Name);
    }

    [Fact]
    public async Task The_open_job_is_read_from_its_first_step_piece_by_piece_and_each_row_once()
    {
        const int steps = 100, most = 5;
        var job = new FakeJob { JobId = "a", Most = most, Overlap = 2 };
        _cluster.Known["a"] = job;
        job.Train(steps);
        job.Tell(new RunEvent.EpochCompleted(1, 2, 0.5, new EvaluationResult(100, 10, 0.25, 0.75), 9));
        await CycleAsync();
        _watch.OpenJob = "a";

        await CycleAsync();
        int atOnce = job.Queries.Count(query => query.SinceStep is not null);
        while (_watch.Picture.Curves.IsReading)
        {
            await CycleAsync();
        }

        JobCurves curves = _watch.Picture.Curves;
        Assert.InRange(atOnce, 1, 8);
        Assert.Equal(Enumerable.Range(0, steps).Select(step => (double)step), curves.TrainLoss.Points.Select(point => point.Step));
        Assert.Equal([new CurvePoint(100, 0.25)], curves.TestLoss.Points);
        Assert.Equal([new CurvePoint(100, 0.75)], curves.TestAccuracy.Points);
        Assert.StartsWith("epoch 1/2", Assert.Single(curves.Events));
    }

    [Fact]
    public async Task Two_that_watch_see_the_same_and_one_that_comes_later_sees_the_history()
    {
        FakeJob job = Job("a", 30);
        await using var later = new ClusterWatch(_cluster, () => Task.FromResult<ClusterConnection>(_cluster), _clock);
        _watch.OpenJob = later.OpenJob = "a";
        await CycleAsync();
        job.Train(5);
        await CycleAsync();

        await later.AskAsync(TestContext.Current.CancellationToken);

        Assert.Equal(35, _watch.Picture.Curves.TrainLoss.Points.Count);
        Assert.Equal(_watch.Picture.Curves.TrainLoss.Points, later.Picture.Curves.TrainLoss.Points);
    }

    [Fact]
    public async Task A_job_that_ends_while_it_is_watched_is_shown_with_its_end()
    {
        FakeJob job = Job("a", 5);
        _watch.OpenJob = "a";
        await CycleAsync();
        job.Train(5);
        job.Complete();
        await CycleAsync();

        Assert.Equal(JobState.Completed, Assert.Single(_watch.Picture.Jobs).State);
        Assert.Equal(10, _watch.Picture.Curves.TrainLoss.Points.Count);
        Assert.StartsWith("Trained 10 steps", _watch.Picture.Curves.Events[^1]);
    }

    [Fact]
    public async Task A_job_that_pauses_queues_again_and_goes_on_says_so_among_its_events()
    {
        FakeJob job = Job("a", 5);
        job.Tell(new RunEvent.Yielded(5, JobState.Paused, "it was paused by order."));
        job.Tell(new RunEvent.Yielded(5, JobState.Queued, "worker b/0 was lost while it started"));
        job.Tell(new RunEvent.Resumed(5, 2, ["b/0", "b/1"]));
        _watch.OpenJob = "a";

        await CycleAsync();

        Assert.Equal(
            [
                "The job is paused at step 5: it was paused by order.",
                "The job is queued at step 5: worker b/0 was lost while it started.",
                "The job goes on from step 5 in generation 2 with workers b/0, b/1.",
            ],
            _watch.Picture.Curves.Events);
    }

    [Fact]
    public async Task A_cluster_that_is_away_keeps_its_picture_and_is_asked_again_through_a_new_connection()
    {
        Job("a", 5);
        _watch.OpenJob = "a";
        await CycleAsync();
        _cluster.IsAway = true;
        await SecondsAsync(3);
        Trouble? first = _watch.Picture.Trouble;
        Assert.Equal(0, _cluster.Disposals);
        await SecondsAsync(4);
        Assert.NotEqual(0, _cluster.Disposals);
        Assert.Equal(first, _watch.Picture.Trouble);
        Assert.Equal(("a", 5), (Assert.Single(_watch.Picture.Ids), _watch.Picture.Curves.TrainLoss.Points.Count));

        var other = new FakeCluster();
        other.Known["a"] = new FakeJob { JobId = "a" };
        other.Known["a"].Train(2);
        _connect = () => other;
        await SecondsAsync(6);

        Assert.Null(_watch.Picture.Trouble);
        Assert.Equal(2, _watch.Picture.Curves.TrainLoss.Points.Count);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_is_trouble_and_tried_again()
    {
        _cluster.IsAway = true;
        _connect = () => throw new ConvNetException(ExitCode.Environment, "no silo answers.");
        await SecondsAsync(8);
        Assert.Equal("no silo answers", _watch.Picture.Trouble?.What);

        (_cluster.IsAway, _connect) = (false, () => _cluster);
        await SecondsAsync(2);
        Assert.True(_watch.Picture.IsBack);
        await SecondsAsync(6);
        Assert.False(_watch.Picture.IsBack);
    }

    [Fact]
    public async Task A_job_that_does_not_answer_is_silent_and_one_that_the_cluster_forgets_is_gone()
    {
        FakeJob job = Job("a", 5);
        Job("b", 5);
        await CycleAsync();
        job.Losses.Enqueue(new TimeoutException());
        await SecondsAsync(1);
        Assert.Equal(["a"], _watch.Picture.Silent);
        Assert.Equal(["a", "b"], _watch.Picture.Ids);

        await SecondsAsync(2);
        Assert.Empty(_watch.Picture.Silent);
        _cluster.Known.Remove("a");
        await SecondsAsync(2);
        Assert.Equal(["b"], _watch.Picture.Ids);
    }

    private FakeJob Job(string id, long steps)
    {
        var job = new FakeJob { JobId = id };
        job.Train(steps);
        _cluster.Known[id] = job;
        return job;
    }

    private async Task CycleAsync()
    {
        await _watch.AskAsync(TestContext.Current.CancellationToken);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
    }

    private async Task SecondsAsync(int seconds)
    {
        for (int cycle = 0; cycle < 4 * seconds; cycle++)
        {
            await CycleAsync();
        }
    }
}
