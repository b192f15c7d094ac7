using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Steps;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="CoordinatorMachine"/> and carries its decisions to every server of the job.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class StepCoordinatorGrain : Grain, IStepCoordinatorGrain
{
    private const int MostRecentSteps = 2000;
    private const int MostWarnings = 20;
    private const int UntimedSteps = 5;

    private readonly Queue<StepRow> _recent = [];
    private readonly Queue<string> _warnings = [];
    private ServerAssignment _assignment = null!;
    private JobSpec _job = null!;
    private CoordinatorMachine? _machine;
    private bool _failed;
    private long _skippedSteps;
    private long _notifyAt = -1;
    private long _committed;
    private long _stepsSeen;
    private long _lastCommit;
    private long _timedSamples;
    private double _timedSeconds;

    private CoordinatorMachine Machine => _machine ?? throw new JobException(
        ExitCode.Environment, $"step coordinator '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted: resume from the last checkpoint");

    public Task BeginAsync(ServerAssignment assignment, CheckpointPosition position)
    {
        _assignment = assignment;
        if (_machine is null)
        {
            _job = JobSpec.FromJson(assignment.JobJson);
            var model = new Model(_job.Model, _job.BatchNormMode);
            int epoch = position.Step == 0 ? 0 : _job.Shape.EpochOf(position.Step - 1);
            var state = new CoordinatorState(
                position.Step,
                position.Updates,
                position.SkipsInARow,
                new EpochTotals(epoch, position.Epoch.LossSum, position.Epoch.Correct, position.Epoch.Count));
            _skippedSteps = position.SkippedSteps;
            _committed = position.Step;
            _machine = new CoordinatorMachine(
                _job.Shape, model.Layout, _job.Optimizer, _job.Schedule, _job.ClipNorm, assignment.Partitions.Length,
                model.BatchNorms.Count > 0, state);
        }

        Answer answer = _machine.Begin(assignment.ToAssignment(), assignment.Version);
        return answer.Verdict == Verdict.Rejected ? throw new JobException(ExitCode.TrainingFailed, answer.Reason!) : Task.CompletedTask;
    }

    public Task<PushReply> ReportWorkerAsync(WorkerStepReport report) => Take(Machine.Report(new WorkerReport(
        new MessageHeader(report.Generation, report.Step, report.Worker, (int)report.Generation),
        [.. report.Metrics.Select(m => new Metrics(m.LossSum, m.Correct, m.Count))])));

    public Task<PushReply> ReportPartitionAsync(PartitionStepReport report) => Take(Machine.Report(new PartitionReport(
        report.Generation, report.Step, report.Partition, report.GradientSquares, report.WeightSquares,
        report.NonFinite is null ? null : new NonFiniteSource(report.NonFinite, report.NonFiniteWorker))));

    public Task<PushReply> ReportBatchNormAsync(long generation, long step, string? nonFinite, string? nonFiniteWorker) => Take(Machine.Report(
        new BatchNormReport(generation, step, nonFinite is null ? null : new NonFiniteSource(nonFinite, nonFiniteWorker))));

    public Task NotifyAtAsync(long generation, long step)
    {
        _notifyAt = step;
        _lastCommit = Stopwatch.GetTimestamp();
        NotifyIfDue();
        return Task.CompletedTask;
    }

    public Task<StepProgress> ProgressAsync() => Task.FromResult(Progress());

    public Task ReleaseAsync()
    {
        _machine = null;
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private Task<PushReply> Take(CoordinatorAnswer answer)
    {
        if (answer.Decided is { } outcome)
        {
            CarryOutAsync(outcome).Ignore();
        }

        if (answer.Resend is { } decision)
        {
            SendAsync(decision).Ignore();
        }

        if (answer.Failure is { } failure && !_failed)
        {
            _failed = true;
            GrainFactory.GetGrain<IJobControlGrain>(_assignment.JobId)
                .FailedAsync(_assignment.Generation, "step coordinator", new JobFailure((int)ExitCode.TrainingFailed, failure)).Ignore();
        }

        return Task.FromResult(new PushReply(answer.Answer.Verdict, answer.Answer.Reason));
    }

    private async Task CarryOutAsync(StepOutcome outcome)
    {
        await SendAsync(outcome.Decision);
        Note(outcome);
        _committed = Math.Max(_committed, outcome.State.Step);
        NotifyIfDue();
    }

    /// <summary>Tells every partition and the batch norms; a step counts as committed when all have taken it.</summary>
    private Task SendAsync(StepDecision decision)
    {
        CommitOrder order = decision.Settings is { } settings ? CommitOrder.From(settings) : CommitOrder.Skipped;
        IEnumerable<Func<Task<PushReply>>> calls = _assignment.Partitions
            .Select(key => GrainFactory.GetGrain<IParameterServerGrain>(key))
            .Select(server => (Func<Task<PushReply>>)(() => server.CommitAsync(decision.Generation, decision.Step, order)))
            .Append(() => GrainFactory.GetGrain<IBatchNormGrain>(_assignment.ServerKey).CommitAsync(decision.Generation, decision.Step, order));
        return Task.WhenAll(calls.Select(call => ServerCalls.TellAsync(GrainFactory, _assignment, $"commit of step {decision.Step}", call)));
    }

    private void Note(StepOutcome outcome)
    {
        long now = Stopwatch.GetTimestamp();
        double seconds = Stopwatch.GetElapsedTime(_lastCommit, now).TotalSeconds;
        _lastCommit = now;
        if (++_stepsSeen > UntimedSteps)
        {
            _timedSamples += outcome.Batch.Count;
            _timedSeconds += seconds;
        }

        _skippedSteps += outcome.Decision.IsSkip ? 1 : 0;
        Keep(_warnings, outcome.Warning, MostWarnings);
        Keep(
            _recent,
            new StepRow(
                outcome.Decision.Step,
                outcome.Batch.LossSum / outcome.Batch.Count,
                (double)outcome.Batch.Correct / outcome.Batch.Count,
                outcome.LearningRate,
                outcome.GradientNorm,
                seconds),
            MostRecentSteps);
    }

    private static void Keep<T>(Queue<T> queue, T? item, int most)
    {
        if (item is not null)
        {
            queue.Enqueue(item);
            if (queue.Count > most)
            {
                queue.Dequeue();
            }
        }
    }

    private void NotifyIfDue()
    {
        if (_notifyAt >= 0 && _committed >= _notifyAt)
        {
            StepProgress progress = Progress();
            _notifyAt = -1;
            ServerCalls.TellAsync(
                GrainFactory,
                _assignment,
                "step coordinator",
                async () =>
                {
                    await GrainFactory.GetGrain<IJobControlGrain>(_assignment.JobId).StepsCommittedAsync(_assignment.Generation, progress);
                    return new PushReply(Verdict.Accepted, null);
                }).Ignore();
        }
    }

    private StepProgress Progress()
    {
        CoordinatorState state = Machine.State;
        return new StepProgress
        {
            Position = new CheckpointPosition(
                _committed,
                _skippedSteps,
                state.SkipsInARow,
                new BlockMetrics(state.Epoch.LossSum, state.Epoch.Correct, state.Epoch.Count)),
            TimedSamples = _timedSamples,
            TimedSeconds = _timedSeconds,
            Recent = [.. _recent],
            Warnings = [.. _warnings],
        };
    }
}
