using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using ConvNet.Grains.Servers;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Servers;

public class ProgressPushTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly StepHistory _history = new();
    private readonly List<StepProgress> _sent = [];
    private readonly Queue<TaskCompletionSource<Answer?>> _answers = [];
    private readonly ProgressPush _push;

    public ProgressPushTests()
    {
        _push = new ProgressPush(_history, TellAsync);
        _history.Begin(TwoWorkers(), JobPosition.Start);
    }

    [Fact]
    public async Task One_message_is_in_flight_and_the_next_one_has_what_came_meanwhile()
    {
        Commit(0);
        _push.Soon();
        Commit(1);
        _push.Soon();
        Commit(2);
        _push.Now();
        Assert.Equal([0], Assert.Single(_sent).Recent.Select(row => row.Step));

        _answers.Dequeue().SetResult(Verdict.Accepted);
        await UntilSentAsync(2);

        Assert.Equal([1, 2], _sent[1].Recent.Select(row => row.Step));
    }

    [Fact]
    public async Task What_was_not_taken_waits_for_the_next_generation()
    {
        Commit(0);
        _push.Now();
        _answers.Dequeue().SetResult(Verdict.Stale);
        Assert.Single(_sent);

        _history.Begin(TwoWorkers(2, firstStep: 1), new JobPosition(1, 1, 0, default));
        _push.Now();
        await UntilSentAsync(2);

        Assert.Equal((2, 0), (_sent[1].Generation, _sent[1].Recent.Single().Step));
    }

    [Fact]
    public async Task Whoever_waits_is_told_also_when_there_is_nothing_new()
    {
        _push.Soon();
        Assert.Empty(_sent);

        _push.Now();
        await UntilSentAsync(1);

        Assert.Empty(_sent[0].Recent);
    }

    private Task<Answer?> TellAsync(StepProgress progress)
    {
        _sent.Add(progress);
        var answer = new TaskCompletionSource<Answer?>();
        _answers.Enqueue(answer);
        return answer.Task;
    }

    private void Commit(long step) => _history.Add(
        new StepOutcome(DecisionOf(step), new Metrics(12, 2, 8), 0.1, 3, new JobPosition(step + 1, step + 1, 0, default), null), step);

    private static StepDecision DecisionOf(long step) => new(FromServer(step), PlainStep);

    private async Task UntilSentAsync(int count)
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (_sent.Count < count)
        {
            Assert.True(Environment.TickCount64 < end, $"{_sent.Count} of {count} messages were sent");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
