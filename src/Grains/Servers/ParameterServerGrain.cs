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
        int partition = Array.IndexOf(assignment.Servers.Partitions, this.GetPrimaryKeyString());
        return BeginAsync(assignment, () => Create(assignment, partition), machine => machine.Begin(assignment));
    }

    public Task<Answer> PushAsync(GradientRoot root, TensorBlock gradients)
    {
        using (gradients)
        {
            long start = Stopwatch.GetTimestamp();
            Answer answer = Machine.Push(root, gradients.Span);
            ReportIfComplete();
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
            return Task.FromResult(answer);
        }
    }

    public async Task<BlockAnswer> PullAsync(MessageHeader header, int chunk)
    {
        BlockAnswer answer = Machine.Pull(header, chunk);
        if (answer.Verdict == Verdict.Future)
        {
            await Changed.WaitAsync();
            answer = MachineIfHeld?.Pull(header, chunk) ?? new BlockAnswer(Verdict.Stale);
        }

        return answer;
    }

    public Task<Answer> CommitAsync(StepDecision decision)
    {
        long start = Stopwatch.GetTimestamp();
        Answer answer = Machine.Commit(decision);
        if (answer.Verdict == Verdict.Accepted)
        {
            WorkMeter.AddApplied(_aggregating.TotalSeconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
            _aggregating = TimeSpan.Zero;
        }

        Changed.Raise();
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

    protected override FrozenAt Freeze(PartitionMachine machine, MessageHeader header) => machine.Freeze(header);

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
