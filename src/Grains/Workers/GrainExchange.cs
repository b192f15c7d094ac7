using System.Diagnostics;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Workers;

/// <summary>The exchange of a worker in a cluster: every request of the engine becomes grain calls. Used by the engine's main thread only.</summary>
internal sealed class GrainExchange : StepExchange
{
    private readonly WorkerAssignment _assignment;
    private readonly WorkerLinks _links;
    private readonly ParameterPull _pull;
    private readonly GradientPush _push;
    private readonly Dictionary<Parameter, int> _tensorIndex;
    private readonly List<Task> _reports = [];
    private long _step;
    private int _rootCount;

    public GrainExchange(Model model, WorkerLinks links, WorkerAssignment assignment)
    {
        _assignment = assignment;
        _links = links;
        int partitions = links.Partitions.Length;
        PartitionPlan[] plans = [.. Enumerable.Range(0, partitions).Select(p => new PartitionPlan(model.Layout, p, partitions))];
        _pull = new ParameterPull(model.Layout, plans, links, assignment.Worker);
        _push = new GradientPush(model.Layout, plans, links, assignment.Worker);
        _tensorIndex = model.Parameters.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
    }

    /// <summary>Seconds that the engine has waited so far.</summary>
    public double PullSeconds { get; private set; }

    public double BatchNormSeconds { get; private set; }

    public double PushSeconds { get; private set; }

    public void BeginStep(long step, ShardPlan plan)
    {
        _step = step;
        _rootCount = plan.Roots.Length;
        _pull.Begin(_assignment.Generation, step);
        _push.Begin(_assignment.Generation, step, plan.Roots);
        _reports.Clear();
    }

    /// <summary>Waits until everything of this step has been acknowledged, then reports the worker's part of it.</summary>
    public void EndStep(WorkerStepReport report)
    {
        long start = Stopwatch.GetTimestamp();
        _push.Finish();
        Task.WhenAll(_reports).GetAwaiter().GetResult();
        GrainCalls.DeliverAsync(
            () => _links.Coordinator.ReportWorkerAsync(report),
            () => $"report of step {report.Step} to the step coordinator").GetAwaiter().GetResult();
        PushSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Fetches a whole version outside training.</summary>
    public void PullAll(long version)
    {
        _pull.Begin(_assignment.Generation, version);
        for (int tensor = 0; tensor < _tensorIndex.Count; tensor++)
        {
            _pull.Wait(tensor);
        }
    }

    public override void Pull(Parameter parameter)
    {
        long start = Stopwatch.GetTimestamp();
        _pull.Wait(_tensorIndex[parameter]);
        PullSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public override void GradientReady(Parameter parameter)
    {
        long start = Stopwatch.GetTimestamp();
        _push.Ready(parameter);
        PushSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
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

    private TensorBlock Reduce(int norm, bool forward, TensorBlock roots)
    {
        long start = Stopwatch.GetTimestamp();
        TensorBlock? answer = ReduceAsync(norm, forward, wait: true, roots).GetAwaiter().GetResult();
        BatchNormSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
        return answer!;
    }

    private async Task<TensorBlock?> ReduceAsync(int norm, bool forward, bool wait, TensorBlock roots)
    {
        var header = new BatchNormHeader(_assignment.Generation, _step, _assignment.Worker, norm, forward, wait);
        int rootCount = _rootCount;
        while (true)
        {
            PullReply reply = await GrainCalls.CallAsync(
                () => _links.BatchNorm.ReduceAsync(header, rootCount, roots),
                () => $"batch norm {norm} of step {header.Step}").ConfigureAwait(false);
            switch (reply.Verdict)
            {
                case PullVerdict.Ready:
                    return reply.Values;
                case PullVerdict.NotYet:
                    // A worker that waits has waited at the server already; one that does not is ahead of the commit there.
                    await Task.Delay(wait ? 0 : 10).ConfigureAwait(false);
                    continue;
                default:
                    throw new StepAbortedException($"batch norm {norm} answered {reply.Verdict}");
            }
        }
    }
}
