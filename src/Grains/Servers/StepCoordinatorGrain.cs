using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Steps;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="CoordinatorMachine"/> and carries its decisions to every server of the job.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class StepCoordinatorGrain : Grain, IStepCoordinatorGrain
{
    private readonly StepHistory _history = new();
    private Assignment? _assignment;
    private CoordinatorMachine? _machine;
    private bool _hasBatchNorm;
    private bool _failed;
    private long _lastCommit;

    private CoordinatorMachine Machine => _machine ?? throw new ConvNetException(
        ExitCode.Environment, $"step coordinator '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted.");

    public Task<Answer> BeginAsync(Assignment assignment, JobPosition position)
    {
        if (_machine is null)
        {
            JobSpec job = JobSpec.FromJson(assignment.JobJson);
            var model = new Model(job.Model, job.BatchNormMode);
            _hasBatchNorm = model.BatchNorms.Count > 0;
            _machine = new CoordinatorMachine(
                job.Shape, model.Layout, job.Optimizer, job.Schedule, job.ClipNorm, assignment.Servers.Partitions.Length, _hasBatchNorm, position);
        }

        CoordinatorAnswer answer = _machine.Begin(assignment);
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _assignment = assignment;
        }

        GrainCalls.Demand(answer.Answer);
        return CarryOut(answer);
    }

    public Task<Answer> ReportAsync(WorkerReport report) => CarryOut(Machine.Report(report));

    public Task<Answer> ReportAsync(PartitionReport report) => CarryOut(Machine.Report(report));

    public Task<Answer> ReportAsync(BatchNormReport report) => CarryOut(Machine.Report(report));

    public Task<Answer> NotifyAtAsync(MessageHeader header)
    {
        CoordinatorAnswer answer = Machine.NotifyAt(header);
        if (answer.Answer.Verdict == Verdict.Accepted)
        {
            _lastCommit = Stopwatch.GetTimestamp();
        }

        return CarryOut(answer);
    }

    public Task<StepProgress> ProgressAsync() => Task.FromResult(_history.ProgressAt(Machine.Committed));

    public Task ReleaseAsync(MessageHeader header)
    {
        if (_assignment is null || header.Generation >= _assignment.Generation)
        {
            _machine = null;
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    private Task<Answer> CarryOut(CoordinatorAnswer answer)
    {
        if (answer.Committed is { } outcome)
        {
            long now = Stopwatch.GetTimestamp();
            _history.Add(outcome, Stopwatch.GetElapsedTime(_lastCommit, now).TotalSeconds);
            _lastCommit = now;
        }

        if (answer.Due is { } due)
        {
            StepProgress progress = _history.ProgressAt(Machine.Committed);
            Tell("step coordinator", () => GrainFactory.GetGrain<IJobControlGrain>(due.JobId).StepsCommittedAsync(due, progress));
        }

        Send(answer.Resend);
        Send(answer.Decided?.Decision);
        if (answer.Failure is { } failure && !_failed)
        {
            _failed = true;
            Assignment assignment = _assignment!;
            GrainFactory.GetGrain<IJobControlGrain>(assignment.JobId).FailedAsync(
                assignment.HeaderOf(Machine.Position.Step), "step coordinator", new JobFailure((int)ExitCode.TrainingFailed, failure)).Ignore();
        }

        return Task.FromResult(answer.Answer);
    }

    /// <summary>Tells every partition and the batch norms.</summary>
    private void Send(StepDecision? decision)
    {
        if (decision is null)
        {
            return;
        }

        ServerKeys servers = _assignment!.Servers;
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
        Answer? answer = await GrainCalls.TellAsync(GrainFactory, _assignment!, $"commit of step {decision.Step}", commit);
        if (answer is { IsAcknowledged: true } && _machine is { } machine)
        {
            await CarryOut(machine.Take(decision.Header, server));
        }
    }

    private void Tell(string who, Func<Task<Answer>> call) => GrainCalls.TellAsync(GrainFactory, _assignment!, who, call).Ignore();
}
