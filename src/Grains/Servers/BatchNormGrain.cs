using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Data;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.BatchNorm;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="BatchNormMachine"/>. A model without batch norms has none, and the grain stays idle.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class BatchNormGrain(ServerDeadlines deadlines, JobMemory memory) : JobServerGrain<BatchNormMachine>(deadlines, memory), IBatchNormGrain
{
    protected override string Role => "batch-norm activation";

    public Task<Answer> BeginAsync(Assignment assignment, long batchesSeen)
    {
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var model = new Model(job.Model, job.BatchNormMode);
        int server = assignment.Servers.BatchNormServer;
        bool asStandby = assignment.Servers.IsStandby(server, this.GetPrimaryKeyString());
        return BeginAsync(
            assignment,
            server,
            model.BatchNorms.Count == 0 ? null : () => Create(job, model, assignment.FirstStep, batchesSeen),
            machine => machine.Begin(assignment, asStandby));
    }

    public async Task<BlockAnswer> ReduceAsync(NormRoots roots, TensorBlock sums)
    {
        using (sums)
        {
            return roots.Forward
                ? await ReduceAsync(
                    roots,
                    BatchNormPayload.ReadMoments(sums, roots.Roots),
                    static (machine, roots, values) => machine.ReduceMoments(roots, values),
                    static total => BatchNormPayload.Write([total]))
                : await ReduceAsync(
                    roots,
                    BatchNormPayload.ReadSums(sums, roots.Roots),
                    static (machine, roots, values) => machine.ReduceBackwardSums(roots, values),
                    static total => BatchNormPayload.Write([total]));
        }
    }

    public async Task<Answer> CommitAsync(StepDecision decision)
    {
        Answer answer = Machine.Commit(decision);
        Changed.Raise();
        ReportIfComplete();
        Forward();
        return await WhenInStepAsync(answer, machine => machine.IsInStep);
    }

    public Task<Answer> FollowAsync(BatchNormForward forward) => Task.FromResult(Machine.Follow(forward));

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int norm) => Task.FromResult(Machine.Read(header, norm));

    public Task<Answer> InstallAsync(MessageHeader header, int norm, TensorBlock statistics)
    {
        using (statistics)
        {
            Answer answer = Machine.Install(header, norm, statistics.Span);
            Forward();
            return Task.FromResult(answer);
        }
    }

    protected override FrozenAt Freeze(BatchNormMachine machine, MessageHeader header) => machine.Freeze(header);

    protected override (Func<Task<Answer>> Send, Action NoteTaken)? NextForward(BatchNormMachine machine, string standby)
    {
        if (machine.NextForward() is not { } forward)
        {
            return null;
        }

        IBatchNormGrain copy = GrainFactory.GetGrain<IBatchNormGrain>(standby);
        return (() => copy.FollowAsync(forward), () =>
        {
            machine.NoteForwarded(forward);
            ReportIfComplete();
        }
        );
    }

    protected override bool IsProtected(BatchNormMachine machine) => machine.IsProtected;

    /// <summary>The machine of a job whose running statistics have their first values.</summary>
    private static BatchNormMachine Create(JobSpec job, Model model, long version, long batchesSeen) => new(
        job.Shape,
        job.BatchNormMode,
        job.RunningAverage,
        [.. model.BatchNorms.Select(norm => BatchNormState.Initial(norm.Name, norm.Output.C))],
        version,
        batchesSeen);

    /// <summary>Offers the roots, and offers them once more (a duplicate) when something has changed: the total may be there then.</summary>
    private async Task<BlockAnswer> ReduceAsync<T>(
        NormRoots roots, T[] values, Func<BatchNormMachine, NormRoots, IReadOnlyList<T>, ReduceAnswer<T>> offer, Func<T, TensorBlock> write)
        where T : class
    {
        ReduceAnswer<T> answer = Offer(roots, values, offer);
        if (answer.Total is null && roots.Wait && (answer.Answer.IsAcknowledged || answer.Answer.Verdict == Verdict.Future))
        {
            await Changed.WaitAsync();
            answer = MachineIfHeld is null ? new ReduceAnswer<T>(Verdict.Stale, null, false) : Offer(roots, values, offer);
        }

        return new BlockAnswer(answer.Answer, answer.Total is { } total && roots.Wait ? write(total) : null);
    }

    /// <summary>
    /// When the roots complete the tree: wakes the workers that wait, delivers dγ and dβ to their owners, and reports the step if it was the
    /// last sum.
    /// </summary>
    private ReduceAnswer<T> Offer<T>(NormRoots roots, T[] values, Func<BatchNormMachine, NormRoots, IReadOnlyList<T>, ReduceAnswer<T>> offer)
        where T : class
    {
        ReduceAnswer<T> answer = offer(Machine, roots, values);
        if (answer.CompletesTree)
        {
            Changed.Raise();
            if (answer.Total is BackwardSums sums)
            {
                DeliverAsync(Assignment, roots, sums).Ignore();
            }

            ReportIfComplete();
        }

        return answer;
    }

    private void ReportIfComplete()
    {
        if (Machine.Report is { } report)
        {
            ReportOnce(
                report.Header,
                "batch norm",
                coordinator => coordinator.ReportAsync(report),
                (machine, header) => machine.NoteReported(header));
        }
    }

    private Task DeliverAsync(Assignment assignment, NormRoots roots, BackwardSums sums) =>
        Task.WhenAll(assignment.Servers.Partitions.Select(key => GrainCalls.TellAsync(
            GrainFactory,
            assignment,
            $"batch norm {roots.Norm}",
            () => GrainFactory.GetGrain<IParameterServerGrain>(key).DeliverTotalsAsync(
                assignment.HeaderOf(roots.Header.Step), roots.Norm, BatchNormPayload.Write([sums])))));
}
