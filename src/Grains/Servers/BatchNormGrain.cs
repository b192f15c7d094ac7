using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.BatchNorm;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="BatchNormMachine"/>. A model without batch norms has none, and the grain stays idle.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class BatchNormGrain : Grain, IBatchNormGrain
{
    private readonly VersionSignal _completed = new();
    private Assignment? _assignment;
    private BatchNormMachine? _machine;
    private long _reportedStep = -1;

    private BatchNormMachine Machine => _machine ?? throw new ConvNetException(
        ExitCode.Environment, $"batch-norm activation '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted.");

    public Task<Answer> BeginAsync(Assignment assignment, long batchesSeen)
    {
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var model = new Model(job.Model, job.BatchNormMode);
        if (model.BatchNorms.Count == 0)
        {
            return Task.FromResult<Answer>(Verdict.Accepted);
        }

        _machine ??= new BatchNormMachine(
            job.Shape,
            job.BatchNormMode,
            job.RunningAverage,
            [.. model.BatchNorms.Select(norm => BatchNormState.Initial(norm.Name, norm.Output.C))],
            assignment.FirstStep,
            batchesSeen);
        Answer answer = GrainCalls.Demand(_machine.Begin(assignment));
        if (answer.Verdict == Verdict.Accepted)
        {
            _assignment = assignment;
            _reportedStep = -1;
            _completed.Raise();
        }

        return Task.FromResult(answer);
    }

    public async Task<BlockAnswer> ReduceAsync(NormRoots roots, TensorBlock sums)
    {
        using (sums)
        {
            return roots.Forward
                ? await ReduceAsync(roots, BatchNormPayload.ReadMoments(sums, roots.Roots), Machine.ReduceMoments, total => BatchNormPayload.Write([total]))
                : await ReduceAsync(roots, BatchNormPayload.ReadSums(sums, roots.Roots), Machine.ReduceBackwardSums, total => BatchNormPayload.Write([total]));
        }
    }

    public Task<Answer> CommitAsync(StepDecision decision)
    {
        Answer answer = Machine.Commit(decision);
        _completed.Raise();
        ReportIfComplete();
        return Task.FromResult(answer);
    }

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int norm) => Task.FromResult(Machine.Read(header, norm));

    public Task<Answer> InstallAsync(MessageHeader header, int norm, TensorBlock statistics)
    {
        using (statistics)
        {
            return Task.FromResult(Machine.Install(header, norm, statistics.Span));
        }
    }

    public Task ReleaseAsync(MessageHeader header)
    {
        if (_assignment is null || header.Generation >= _assignment.Generation)
        {
            _machine = null;
            _completed.Raise();
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    /// <summary>Offers the roots, and offers them once more (a duplicate) when something has changed: the total may be there then.</summary>
    private async Task<BlockAnswer> ReduceAsync<T>(
        NormRoots roots, T[] values, Func<NormRoots, IReadOnlyList<T>, ReduceAnswer<T>> offer, Func<T, TensorBlock> write)
        where T : class
    {
        ReduceAnswer<T> answer = Offer(roots, values, offer);
        if (answer.Total is null && roots.Wait && (answer.Answer.IsAcknowledged || answer.Answer.Verdict == Verdict.Future))
        {
            await _completed.WaitAsync();
            answer = _machine is null ? new ReduceAnswer<T>(Verdict.Stale, null, false) : Offer(roots, values, offer);
        }

        return new BlockAnswer(answer.Answer, answer.Total is { } total && roots.Wait ? write(total) : null);
    }

    /// <summary>
    /// When the roots complete the tree: wakes the workers that wait, delivers dγ and dβ to their owners, and reports the step if it was the
    /// last sum.
    /// </summary>
    private ReduceAnswer<T> Offer<T>(NormRoots roots, T[] values, Func<NormRoots, IReadOnlyList<T>, ReduceAnswer<T>> offer)
        where T : class
    {
        ReduceAnswer<T> answer = offer(roots, values);
        if (answer.CompletesTree)
        {
            _completed.Raise();
            if (answer.Total is BackwardSums sums)
            {
                DeliverAsync(_assignment!, roots, sums).Ignore();
            }

            ReportIfComplete();
        }

        return answer;
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
                "batch norm",
                () => GrainFactory.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator).ReportAsync(report)).Ignore();
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
