using System.Diagnostics;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Data;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Partition;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="PartitionMachine"/>: turns calls into its events, and its decisions into answers and reports.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class ParameterServerGrain(ServerDeadlines deadlines, JobMemory memory)
    : JobServerGrain<PartitionMachine>(deadlines, memory), IParameterServerGrain
{
    /// <summary>Time of the open step in which gradients were taken and added.</summary>
    private TimeSpan _aggregating;

    protected override string Role => "partition";

    public Task<Answer> BeginAsync(Assignment assignment)
    {
        string key = this.GetPrimaryKeyString();
        int serving = Array.IndexOf(assignment.Servers.Partitions, key);
        int partition = serving >= 0 ? serving : Array.FindIndex(assignment.Servers.Standbys, standby => standby?.Key == key);
        return BeginAsync(
            assignment, partition, () => Create(assignment, partition), machine => machine.Begin(assignment, asStandby: serving < 0));
    }

    public Task<Answer> PushAsync(GradientRoot root, TensorBlock gradients)
    {
        using (gradients)
        {
            long start = Stopwatch.GetTimestamp();
            Answer answer = Machine.Push(root, gradients.Span);
            ReportIfComplete();
            Forward();
            _aggregating += Stopwatch.GetElapsedTime(start);
            WorkMeter.CountPush(answer.Verdict);
            return Task.FromResult(answer);
        }
    }

    public Task<Answer> DeliverTotalsAsync(MessageHeader header, int norm, TensorBlock totals)
    {
        using (totals)
        {
            Answer answer = Machine.Deliver(header, norm, BatchNormPayload.ReadSums(totals, 1)[0]);
            ReportIfComplete();
            Forward();
            return Task.FromResult(answer);
        }
    }

    public async Task<BlockAnswer> PullAsync(MessageHeader header, int chunk)
    {
        PartitionMachine machine = Machine;
        BlockAnswer answer = machine.Pull(header, chunk);
        if (answer.Verdict == Verdict.Future && !machine.IsStandby)
        {
            await Changed.WaitAsync();
            answer = MachineIfHeld?.Pull(header, chunk) ?? new BlockAnswer(Verdict.Stale);
        }

        return answer;
    }

    public Task<Answer> FollowAsync(PartitionForward forward, TensorBlock? floats)
    {
        using (floats)
        {
            return Task.FromResult(Machine.Follow(forward, floats is null ? [] : floats.Span));
        }
    }

    public async Task<Answer> CommitAsync(StepDecision decision)
    {
        long start = Stopwatch.GetTimestamp();
        Answer answer = Machine.Commit(decision);
        if (answer.Verdict == Verdict.Accepted)
        {
            WorkMeter.AddApplied(_aggregating.TotalSeconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
            _aggregating = TimeSpan.Zero;
        }

        Changed.Raise();
        Forward();
        return await WhenInStepAsync(answer, machine => machine.IsInStep);
    }

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int slot, int chunk) => Task.FromResult(Machine.Read(header, slot, chunk));

    public Task<Answer> InstallAsync(MessageHeader header, int slot, int chunk, TensorBlock values)
    {
        using (values)
        {
            Answer answer = Machine.Install(header, slot, chunk, values.Span);
            Forward();
            return Task.FromResult(answer);
        }
    }

    protected override FrozenAt Freeze(PartitionMachine machine, MessageHeader header) => machine.Freeze(header);

    protected override (Func<Task<Answer>> Send, Action NoteTaken)? NextForward(PartitionMachine machine, string standby)
    {
        if (machine.NextForward() is not { } forward)
        {
            return null;
        }

        TensorBlock? floats = machine.FloatsOf(forward);
        IParameterServerGrain copy = GrainFactory.GetGrain<IParameterServerGrain>(standby);
        return (() => copy.FollowAsync(forward, floats), () =>
        {
            machine.NoteForwarded(forward);
            ReportIfComplete();
        }
        );
    }

    protected override bool IsProtected(PartitionMachine machine) => machine.IsProtected;

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
        if (Machine.Report is { } report)
        {
            ReportOnce(
                report.Header,
                $"partition {report.Partition}",
                coordinator => coordinator.ReportAsync(report),
                (machine, header) => machine.NoteReported(header));
        }
    }
}
