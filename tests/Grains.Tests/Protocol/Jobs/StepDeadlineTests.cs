using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class StepDeadlineTests
{
    [Fact]
    public void The_limit_is_thirty_seconds_until_twenty_steps_are_measured_and_five_medians_after_that_but_never_under_five_seconds()
    {
        var deadline = new StepDeadline();
        deadline.Measure(Rows(19, 3));
        Assert.Equal(30, deadline.Seconds);
        deadline.Measure(Rows(1, 3));
        Assert.Equal(15, deadline.Seconds);
        deadline.Measure(Rows(200, 0.1));
        Assert.Equal(5, deadline.Seconds);
    }

    [Fact]
    public void A_worker_that_computes_on_while_others_wait_for_it_is_late()
    {
        StepDeadline deadline = Measured();
        Assert.Equal(["a/0"], Late(deadline, 6, Seen("a/0", WorkerPhase.Computing, 6), Seen("b/0", WorkerPhase.WaitingForBatchNorm, 5.9)));
        Assert.Empty(Late(deadline, 4, Seen("a/0", WorkerPhase.Computing, 6), Seen("b/0", WorkerPhase.WaitingForBatchNorm, 5.9)));
        Assert.Empty(Late(deadline, 6, Seen("a/0", WorkerPhase.Computing, 2), Seen("b/0", WorkerPhase.WaitingForBatchNorm, 1)));
    }

    [Fact]
    public void A_silent_worker_is_late_and_a_slow_machine_is_not()
    {
        StepDeadline deadline = Measured();
        Assert.Equal(["a/0"], Late(deadline, 8, Seen("a/0", WorkerPhase.WaitingForPush, 1, ago: 7), Seen("b/0", WorkerPhase.WaitingForParameters, 5.9)));
        Assert.Empty(Late(deadline, 8, Seen("a/0", WorkerPhase.Computing, 8), Seen("b/0", WorkerPhase.Computing, 8)));
        Assert.Empty(Late(deadline, 8, Seen("a/0", WorkerPhase.Computing, 8)));
    }

    private static StepDeadline Measured()
    {
        var deadline = new StepDeadline();
        deadline.Measure(Rows(30, 0.5));
        return deadline;
    }

    private static IEnumerable<StepRow> Rows(int count, double seconds) =>
        Enumerable.Range(0, count).Select(step => new StepRow(step, 1, 0.5, 0.1, 2, seconds));

    private static (WorkerStatus Status, double Ago) Seen(string name, WorkerPhase phase, double seconds, double ago = 0.1) =>
        (new WorkerStatus(name, 0, 1, 3, 0, 0, 0, 0, 0) { Phase = phase, PhaseSeconds = seconds }, ago);

    private static string[] Late(StepDeadline deadline, double sinceCommit, params (WorkerStatus, double)[] workers) =>
        [.. deadline.Late(workers, sinceCommit).Select(late => late.Worker)];
}
