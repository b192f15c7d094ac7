using System.Diagnostics;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>
/// The exchange of a worker in a cluster: every request of the engine becomes grain calls. It serves one assignment, and ends with it or with the
/// first failure. Used by the engine's main thread only.
/// </summary>
internal sealed class GrainExchange : StepExchange
{
    private readonly Assignment _assignment;
    private readonly int _worker;
    private readonly WorkerLinks _links;
    private readonly EngineWaits _waits;
    private readonly WorkerProgress _progress;
    private readonly ParameterPull _pull;
    private readonly GradientPush _push;
    private readonly Dictionary<Parameter, int> _tensorIndex;
    private readonly List<Task> _reports = [];
    private MessageHeader _header;
    private int _rootCount;

    /// <param name="worker">Its index in the assignment.</param>
    public GrainExchange(Model model, WorkerLinks links, Assignment assignment, int worker, EngineWaits waits, WorkerProgress progress)
    {
        _assignment = assignment;
        _worker = worker;
        _links = links;
        _waits = waits;
        _progress = progress;
        int partitions = links.Partitions.Length;
        PartitionPlan[] plans = [.. Enumerable.Range(0, partitions).Select(p => new PartitionPlan(model.Layout, p, partitions))];
        _pull = new ParameterPull(model.Layout, plans, links.Partitions, links.Beside, waits);
        _push = new GradientPush(model.Layout, plans, links.Partitions, waits);
        _tensorIndex = model.Parameters.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
    }

    public void BeginStep(long step, ShardPlan plan)
    {
        _waits.ThrowIfEnded();
        _header = _assignment.HeaderOf(step, _worker);
        _rootCount = plan.Roots.Length;
        _pull.Begin(_header);
        _push.Begin(_header, plan.Roots);
        _reports.Clear();
    }

    /// <summary>Waits until everything of this step has been acknowledged, then reports the worker's part of it, which counts its samples.</summary>
    /// <param name="metrics">Of each root of the worker's plan.</param>
    public void EndStep(Metrics[] metrics, long samples)
    {
        long start = _progress.Enter(WorkerPhase.WaitingForPush);
        try
        {
            _push.Finish();
            if (_reports.Count > 0)
            {
                _waits.Wait(Task.WhenAll(_reports));
            }

            // Counted before the report, so that the first sign of life after the step has it.
            _progress.Count(_header.Step, samples);
            Report([.. metrics]);
            _progress.EndStep(_header.Step);
        }
        finally
        {
            _progress.EndPush(start);
        }
    }

    /// <summary>Fetches a whole version outside training.</summary>
    public void PullAll(long version)
    {
        _waits.ThrowIfEnded();
        _pull.Begin(_assignment.HeaderOf(version, _worker));
        for (int tensor = 0; tensor < _tensorIndex.Count; tensor++)
        {
            _pull.Wait(tensor);
        }
    }

    /// <summary>Fetches the running statistics of a batch norm at a version outside training: running mean, then running variance.</summary>
    public TensorBlock ReadStatistics(long version, int norm) => _waits.Wait(_waits.AskAsync(
        () => _links.BatchNorm.ReadAsync(_assignment.HeaderOf(version, _worker), norm),
        () => $"running statistics of batch norm {norm} at version {version}")).Values!;

    /// <summary>Gives up what is on its way after a failure or an abort: when it returns nobody reads the network's memory any more.</summary>
    public void Abandon() => _push.Abandon();

    public override void Pull(Parameter parameter)
    {
        long start = _progress.Enter(WorkerPhase.WaitingForParameters);
        try
        {
            _pull.Wait(_tensorIndex[parameter]);
        }
        finally
        {
            _progress.EndPull(start);
        }
    }

    public override void GradientReady(Parameter parameter)
    {
        long start = Stopwatch.GetTimestamp();
        _push.Ready(parameter);
        _progress.AddPush(start);
    }

    public override Moments ReduceMoments(int norm, Moments[] roots)
    {
        using TensorBlock answer = Reduce(norm, forward: true, BatchNormPayload.Write(roots));
        return BatchNormPayload.ReadMoments(answer, 1)[0];
    }

    public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
    {
        using TensorBlock answer = Reduce(norm, forward: false, BatchNormPayload.Write(roots));
        return BatchNormPayload.ReadSums(answer, 1)[0];
    }

    public override void ReportMoments(int norm, Moments[] roots) =>
        _reports.Add(ReduceAsync(norm, forward: true, wait: false, BatchNormPayload.Write(roots)));

    public override void ReportBackwardSums(int norm, BackwardSums[] roots) =>
        _reports.Add(ReduceAsync(norm, forward: false, wait: false, BatchNormPayload.Write(roots)));

    /// <param name="metrics">A copy: the network reuses its own from step to step, and by reference they would reach the coordinator.</param>
    private void Report(Metrics[] metrics)
    {
        var report = new WorkerReport(_header, metrics);
        bool repeated = false;
        Answer answer = _waits.Wait(GrainCalls.DeliverAsync(
            () => _links.Coordinator.ReportAsync(report),
            () => $"report of step {report.Header.Step} to the step coordinator",
            onRetry: () => repeated = true,
            _waits.Token));
        if (answer.Verdict == Verdict.AlreadyApplied && !repeated)
        {
            _progress.TakeCountBack();
        }
    }

    private TensorBlock Reduce(int norm, bool forward, TensorBlock roots)
    {
        long start = _progress.Enter(WorkerPhase.WaitingForBatchNorm);
        try
        {
            return _waits.Wait(ReduceAsync(norm, forward, wait: true, roots)).Values!;
        }
        finally
        {
            _progress.EndBatchNorm(start);
        }
    }

    private Task<BlockAnswer> ReduceAsync(int norm, bool forward, bool wait, TensorBlock roots)
    {
        var key = new NormRoots(_header, norm, forward, _rootCount, wait);
        return _waits.AskAsync(
            () => _links.BatchNorm.ReduceAsync(key, roots), () => $"batch norm {norm} of step {key.Header.Step}", needsValues: wait);
    }
}
