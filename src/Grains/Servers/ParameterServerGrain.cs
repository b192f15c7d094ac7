using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Partition;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="PartitionMachine"/>: turns calls into its events, and its decisions into answers and reports.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class ParameterServerGrain : Grain, IParameterServerGrain
{
    private readonly VersionSignal _committed = new();
    private Assignment? _assignment;
    private Task<PartitionMachine>? _created;
    private PartitionMachine? _machine;
    private long _reportedStep = -1;

    private PartitionMachine Machine => _machine ?? throw JobNotHere();

    public async Task<Answer> BeginAsync(Assignment assignment)
    {
        // One machine, however many calls begin while it is made.
        int partition = Array.IndexOf(assignment.Servers.Partitions, this.GetPrimaryKeyString());
        PartitionMachine machine = await (_created ??= Task.Run(() => Create(assignment, partition)));
        Answer answer = GrainCalls.Demand(machine.Begin(assignment));
        if (answer.Verdict == Verdict.Accepted)
        {
            _machine = machine;
            _assignment = assignment;
            _reportedStep = -1;
            _committed.Raise();
        }

        return answer;
    }

    public Task<Answer> PushAsync(GradientRoot root, TensorBlock gradients)
    {
        using (gradients)
        {
            Answer answer = Machine.Push(root, gradients.Span);
            ReportIfComplete();
            return Task.FromResult(answer);
        }
    }

    public Task<Answer> DeliverTotalsAsync(MessageHeader header, int norm, TensorBlock totals)
    {
        using (totals)
        {
            Answer answer = Machine.Deliver(header, norm, BatchNormPayload.ReadSums(totals, 1)[0]);
            ReportIfComplete();
            return Task.FromResult(answer);
        }
    }

    public async Task<BlockAnswer> PullAsync(MessageHeader header, int chunk)
    {
        BlockAnswer answer = Machine.Pull(header, chunk);
        if (answer.Verdict == Verdict.Future)
        {
            await _committed.WaitAsync();
            answer = _machine is null ? new BlockAnswer(Verdict.Stale) : Machine.Pull(header, chunk);
        }

        return answer;
    }

    public Task<Answer> CommitAsync(StepDecision decision)
    {
        Answer answer = Machine.Commit(decision);
        _committed.Raise();
        return Task.FromResult(answer);
    }

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int slot, int chunk) => Task.FromResult(Machine.Read(header, slot, chunk));

    public Task<Answer> InstallAsync(MessageHeader header, int slot, int chunk, TensorBlock values)
    {
        using (values)
        {
            return Task.FromResult(Machine.Install(header, slot, chunk, values.Span));
        }
    }

    public Task ReleaseAsync(MessageHeader header)
    {
        if (_assignment is null || header.Generation >= _assignment.Generation)
        {
            _machine = null;
            _created = null;
            _committed.Raise();
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    /// <summary>The machine of a job whose parameters have their first values.</summary>
    private static PartitionMachine Create(Assignment assignment, int partition)
    {
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var plan = new PartitionPlan(new Model(job.Model, job.BatchNormMode).Layout, partition, assignment.Servers.Partitions.Length);
        var state = new PartitionState(plan, job.Optimizer, assignment.FirstStep);
        state.Initialize(job.Seed, job.Initialization);
        return new PartitionMachine(job.Shape, job.Optimizer, state);
    }

    private void ReportIfComplete()
    {
        if (Machine.Report is { } report && report.Header.Step != _reportedStep)
        {
            _reportedStep = report.Header.Step;
            Assignment assignment = _assignment!;
            GrainCalls.TellAsync(
                GrainFactory,
                assignment,
                $"partition {report.Partition}",
                () => GrainFactory.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator).ReportAsync(report)).Ignore();
        }
    }

    private ConvNetException JobNotHere()
    {
        // Whoever asks is late or astray; an empty partition must not stay for it.
        DeactivateOnIdle();
        return new(ExitCode.Environment, $"partition '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted.");
    }
}
