using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Data;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Steps;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="CoordinatorMachine"/> and carries its decisions to every server of the job.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class StepCoordinatorGrain(ServerDeadlines deadlines, JobMemory memory)
    : JobServerGrain<CoordinatorMachine>(deadlines, memory), IStepCoordinatorGrain
{
    private readonly StepHistory _history = new();
    private ProgressPush? _push;
    private bool _hasBatchNorm;
    private bool _failed;
    private double? _frozenAt;

    protected override string Role => "step coordinator";

    private ProgressPush Push => _push ??= new ProgressPush(_history, TellJobAsync);

    private static double Now => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    public async Task<Answer> BeginAsync(Assignment assignment, JobPosition position)
    {
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var model = new Model(job.Model, job.BatchNormMode);
        CoordinatorAnswer begun = default;
        int server = assignment.Servers.CoordinatorServer;
        bool asStandby = assignment.Servers.IsStandby(server, this.GetPrimaryKeyString());
        Answer answer = await BeginAsync(assignment, server, () => Create(job, model, assignment, position), machine =>
        {
            if (!asStandby && assignment.Generation > machine.Generation && machine.Learn(assignment.Missed) is { } before)
            {
                _history.Add(before, _frozenAt ?? Now);
            }

            begun = machine.Begin(assignment, asStandby);
            return begun.Answer;
        });
        if (answer.Verdict != Verdict.Accepted || asStandby)
        {
            return answer;
        }

        _hasBatchNorm = model.BatchNorms.Count > 0;
        _failed = false;
        if (begun.Committed is { } taken)
        {
            // Every server had it when it was frozen; only the acknowledgements were missing.
            _history.Add(taken, _frozenAt ?? Now);
        }

        _history.Begin(assignment, Machine.Committed);
        _frozenAt = null;
        if (_history.HasNews)
        {
            Push.Now();
        }

        return CarryOut(begun with { Committed = null });
    }

    public Task<Answer> ReportAsync(WorkerReport report) => Task.FromResult(CarryOut(Machine.Report(report)));

    public Task<Answer> ReportAsync(PartitionReport report) => Task.FromResult(CarryOut(Machine.Report(report)));

    public Task<Answer> ReportAsync(BatchNormReport report) => Task.FromResult(CarryOut(Machine.Report(report)));

    public Task<Answer> NotifyAtAsync(MessageHeader header)
    {
        CoordinatorAnswer answer = Machine.NotifyAt(header);
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _history.Run(header.Step, Now);
        }

        return Task.FromResult(CarryOut(answer));
    }

    public Task<Answer> FollowAsync(CoordinatorForward forward)
    {
        Answer answer = Machine.Follow(forward);
        if (answer.Verdict == Verdict.Accepted)
        {
            _history.Follow(forward.Progress, Now);
        }

        return Task.FromResult(answer);
    }

    public Task<StepProgress> ProgressAsync() => Task.FromResult(MachineIfHeld is null ? throw JobNotHere() : _history.ProgressAt(Now));

    protected override FrozenAt Freeze(CoordinatorMachine machine, MessageHeader header)
    {
        _frozenAt ??= Now;
        return machine.Freeze(header);
    }

    protected override (Func<Task<Answer>> Send, Action NoteTaken)? NextForward(CoordinatorMachine machine, string standby)
    {
        if (machine.NextForward(_history.Unforwarded) is not { } forward)
        {
            return null;
        }

        IStepCoordinatorGrain copy = GrainFactory.GetGrain<IStepCoordinatorGrain>(standby);
        return (() => copy.FollowAsync(forward), () =>
        {
            _history.NoteForwarded(forward.Progress);
            CarryOut(machine.NoteForwarded(forward));
        }
        );
    }

    protected override bool IsProtected(CoordinatorMachine machine) => machine.IsProtected;

    private static CoordinatorMachine Create(JobSpec job, Model model, Assignment assignment, JobPosition position) => new(
        job.Shape,
        model.Layout,
        job.Optimizer,
        job.Schedule,
        job.ClipNorm,
        assignment.Servers.Partitions.Length,
        model.BatchNorms.Count > 0,
        position,
        job.NonFinite);

    private Answer CarryOut(CoordinatorAnswer answer)
    {
        if (answer.Committed is { } outcome)
        {
            _history.Add(outcome, Now);
            Push.Soon();
            if (outcome.Decision.IsSkip)
            {
                JobMeter.CountSkipped();
            }
        }

        if (answer.Due is not null)
        {
            Push.Now();
        }

        Send(answer.Resend);
        Send(answer.Decided?.Decision);
        if (answer.Finding is { } finding)
        {
            Assignment examined = Assignment;
            MessageHeader header = examined.HeaderOf(Machine.Position.Step);
            IJobControlGrain job = GrainFactory.GetGrain<IJobControlGrain>(examined.JobId);
            GrainCalls.TellAsync(GrainFactory, examined, "step coordinator", () => job.FoundAsync(header, finding)).Ignore();
        }

        if (answer.Failure is { } failure && !_failed)
        {
            _failed = true;
            Assignment failed = Assignment;
            MessageHeader header = failed.HeaderOf(Machine.Position.Step);
            IJobControlGrain job = GrainFactory.GetGrain<IJobControlGrain>(failed.JobId);
            GrainCalls.TellAsync(
                GrainFactory,
                failed,
                "step coordinator",
                () => job.FailedAsync(header, "step coordinator", new JobFailure((int)ExitCode.TrainingFailed, failure))).Ignore();
        }

        Forward();
        return answer.Answer;
    }

    private async Task<Answer?> TellJobAsync(StepProgress progress)
    {
        Assignment assignment = Assignment;
        _history.Ask(Now);
        try
        {
            return await GrainCalls.TellAsync(
                GrainFactory,
                assignment,
                "step coordinator",
                () => GrainFactory.GetGrain<IJobControlGrain>(assignment.JobId).ProgressAsync(assignment.HeaderOf(progress.Position.Step), progress));
        }
        finally
        {
            _history.EndAsking(Now);
        }
    }

    /// <summary>Tells every partition and the batch norms.</summary>
    private void Send(StepDecision? decision)
    {
        if (decision is null)
        {
            return;
        }

        ServerKeys servers = Assignment.Servers;
        for (int partition = 0; partition < servers.Partitions.Length; partition++)
        {
            IParameterServerGrain server = GrainFactory.GetGrain<IParameterServerGrain>(servers.Partitions[partition]);
            SendAsync(decision, partition, () => server.CommitAsync(decision)).Ignore();
        }

        if (_hasBatchNorm)
        {
            IBatchNormGrain server = GrainFactory.GetGrain<IBatchNormGrain>(servers.BatchNorm);
            SendAsync(decision, Machine.BatchNormServer, () => server.CommitAsync(decision)).Ignore();
        }
    }

    private async Task SendAsync(StepDecision decision, int server, Func<Task<Answer>> commit)
    {
        Answer? answer = await GrainCalls.TellAsync(GrainFactory, Assignment, $"commit of step {decision.Step}", commit);
        if (answer is { IsAcknowledged: true } && MachineIfHeld is { } machine)
        {
            CarryOut(machine.Take(decision.Header, server));
        }
    }
}
