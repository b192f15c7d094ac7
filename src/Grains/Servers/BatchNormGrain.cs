using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
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
    private ServerAssignment _assignment = null!;
    private BatchNormMachine? _machine;
    private BatchNormState[] _statistics = [];
    private long _reportedStep = -1;

    private BatchNormMachine Machine => _machine ?? throw new JobException(
        ExitCode.Environment, $"batch-norm activation '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted: resume from the last checkpoint");

    public Task BeginAsync(ServerAssignment assignment, long batchesSeen)
    {
        _assignment = assignment;
        _reportedStep = -1;
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var model = new Model(job.Model, job.BatchNormMode);
        if (model.BatchNorms.Count == 0)
        {
            return Task.CompletedTask;
        }

        if (_machine is null)
        {
            _statistics = [.. model.BatchNorms.Select(norm => BatchNormState.Initial(norm.Name, norm.Output.C))];
            _machine = new BatchNormMachine(job.Shape, job.BatchNormMode, job.RunningAverage, _statistics, assignment.Version, batchesSeen);
        }

        Throw(_machine.Begin(assignment.ToAssignment(), assignment.Version));
        _completed.Raise();
        return Task.CompletedTask;
    }

    public async Task<PullReply> ReduceAsync(BatchNormHeader header, int rootCount, TensorBlock roots)
    {
        using (roots)
        {
            return header.Forward
                ? await ReduceAsync(header, BatchNormPayload.ReadMoments(roots, rootCount), Machine.ReduceMoments, total => BatchNormPayload.Write([total]))
                : await ReduceAsync(header, BatchNormPayload.ReadSums(roots, rootCount), Machine.ReduceBackwardSums, total => BatchNormPayload.Write([total]));
        }
    }

    public Task<PushReply> CommitAsync(long generation, long step, CommitOrder order)
    {
        if (_machine is null)
        {
            return Task.FromResult(new PushReply(Verdict.Accepted, null));
        }

        Answer answer = _machine.Commit(new StepDecision(generation, step, order.Skip ? null : order.ToSettings()));
        _completed.Raise();
        ReportIfComplete();
        return Task.FromResult(new PushReply(answer.Verdict, answer.Reason));
    }

    public Task<TensorBlock> ReadAsync(long generation, long version, int norm)
    {
        if (generation != Machine.Generation || version != Machine.Version)
        {
            throw new JobException(
                ExitCode.Bug,
                $"batch norm was asked for version {version} of generation {generation}, but is at {Machine.Version} of {Machine.Generation}");
        }

        BatchNormState state = Machine.Statistics[norm];
        float[] floats = [.. state.RunningMean, .. state.RunningVar];
        return Task.FromResult(new TensorBlock(floats, 0, floats.Length));
    }

    public Task InstallAsync(int norm, TensorBlock statistics)
    {
        using (statistics)
        {
            BatchNormState state = Machine.Statistics[norm];
            int channels = state.RunningMean.Length;
            statistics.Span[..channels].CopyTo(state.RunningMean);
            statistics.Span[channels..].CopyTo(state.RunningVar);
            return Task.CompletedTask;
        }
    }

    public Task ReleaseAsync()
    {
        _machine = null;
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    /// <summary>Offers the roots, and offers them again (a duplicate) whenever something has changed, until the total is there.</summary>
    private async Task<PullReply> ReduceAsync<T>(
        BatchNormHeader header, T[] roots, Func<MessageHeader, int, IReadOnlyList<T>, ReduceAnswer<T>> offer, Func<T, TensorBlock> write)
        where T : class
    {
        MessageHeader message = header.ToMessageHeader();
        ReduceAnswer<T> answer = offer(message, header.Norm, roots);
        if (answer.CompletesTree)
        {
            OnComplete(header, answer.Total!);
        }
        else if (answer.Total is null && MayWait(answer.Answer) && header.Wait)
        {
            await _completed.WaitAsync();
            answer = offer(message, header.Norm, roots);
            if (answer.CompletesTree)
            {
                OnComplete(header, answer.Total!);
            }
        }

        return answer.Answer.Verdict switch
        {
            Verdict.Rejected or Verdict.Conflict => throw new JobException(ExitCode.TrainingFailed, answer.Answer.Reason!),
            Verdict.Stale => new PullReply(PullVerdict.Stale, null),
            Verdict.Future => new PullReply(PullVerdict.NotYet, null),
            _ when !header.Wait => new PullReply(PullVerdict.Ready, null),
            _ => answer.Total is null ? new PullReply(PullVerdict.NotYet, null) : new PullReply(PullVerdict.Ready, write(answer.Total)),
        };
    }

    private static bool MayWait(Answer answer) => answer.Verdict is Verdict.Accepted or Verdict.Duplicate or Verdict.Future;

    /// <summary>Wakes the workers that wait, delivers dγ and dβ to their owners, and reports the step when it was the last sum.</summary>
    private void OnComplete<T>(BatchNormHeader header, T total)
    {
        _completed.Raise();
        if (total is BackwardSums sums)
        {
            DeliverAsync(header, sums).Ignore();
        }

        ReportIfComplete();
    }

    private void ReportIfComplete()
    {
        if (Machine.Report is { } report && report.Step != _reportedStep)
        {
            _reportedStep = report.Step;
            ServerCalls.TellAsync(
                GrainFactory,
                _assignment,
                "batch norm",
                () => GrainFactory.GetGrain<IStepCoordinatorGrain>(_assignment.ServerKey).ReportBatchNormAsync(
                    report.Generation, report.Step, report.NonFinite?.What, report.NonFinite?.Worker)).Ignore();
        }
    }

    private Task DeliverAsync(BatchNormHeader header, BackwardSums sums) =>
        Task.WhenAll(_assignment.Partitions.Select(key => ServerCalls.TellAsync(
            GrainFactory,
            _assignment,
            $"batch norm {header.Norm}",
            () => GrainFactory.GetGrain<IParameterServerGrain>(key).DeliverTotalsAsync(
                header.Generation, header.Step, header.Norm, BatchNormPayload.Write([sums])))));

    private static void Throw(Answer answer)
    {
        if (answer.Verdict is Verdict.Rejected or Verdict.Conflict)
        {
            throw new JobException(ExitCode.TrainingFailed, answer.Reason!);
        }
    }
}
