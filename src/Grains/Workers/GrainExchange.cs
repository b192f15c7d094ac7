using System.Diagnostics;
using ConvNet.Engine.Errors;
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
    private readonly Assignment _assignment;
    private readonly int _worker;
    private readonly WorkerLinks _links;
    private readonly ParameterPull _pull;
    private readonly GradientPush _push;
    private readonly Dictionary<Parameter, int> _tensorIndex;
    private readonly List<Task> _reports = [];
    private MessageHeader _header;
    private int _rootCount;

    public GrainExchange(Model model, WorkerLinks links, Assignment assignment, int worker)
    {
        _assignment = assignment;
        _worker = worker;
        _links = links;
        int partitions = links.Partitions.Length;
        PartitionPlan[] plans = [.. Enumerable.Range(0, partitions).Select(p => new PartitionPlan(model.Layout, p, partitions))];
        _pull = new ParameterPull(model.Layout, plans, links.Partitions);
        _push = new GradientPush(model.Layout, plans, links.Partitions);
        _tensorIndex = model.Parameters.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
    }

    /// <summary>Seconds that the engine has waited so far.</summary>
    public double PullSeconds { get; private set; }

    public double BatchNormSeconds { get; private set; }

    public double PushSeconds { get; private set; }

    public void BeginStep(long step, ShardPlan plan)
    {
        _header = _assignment.HeaderOf(step, _worker);
        _rootCount = plan.Roots.Length;
        _pull.Begin(_header);
        _push.Begin(_header, plan.Roots);
        _reports.Clear();
    }

    /// <summary>Waits until everything of this step has been acknowledged, then reports the worker's part of it.</summary>
    /// <param name="metrics">Of each root of the worker's plan.</param>
    public void EndStep(Metrics[] metrics)
    {
        long start = Stopwatch.GetTimestamp();
        _push.Finish();
        Task.WhenAll(_reports).GetAwaiter().GetResult();

        // The network reuses its metrics from step to step, and by reference they would reach the coordinator.
        var report = new WorkerReport(_header, [.. metrics]);
        GrainCalls.DeliverAsync(
            () => _links.Coordinator.ReportAsync(report),
            () => $"report of step {_header.Step} to the step coordinator").GetAwaiter().GetResult();
        PushSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Fetches a whole version outside training.</summary>
    public void PullAll(long version)
    {
        _pull.Begin(_assignment.HeaderOf(version, _worker));
        for (int tensor = 0; tensor < _tensorIndex.Count; tensor++)
        {
            _pull.Wait(tensor);
        }
    }

    /// <summary>Fetches the running statistics of a batch norm at a version outside training: running mean, then running variance.</summary>
    public TensorBlock ReadStatistics(long version, int norm)
    {
        BlockAnswer answer = GrainCalls.CallAsync(
            () => _links.BatchNorm.ReadAsync(_assignment.HeaderOf(version, _worker), norm),
            () => $"running statistics of batch norm {norm}").GetAwaiter().GetResult();
        return answer.Values ?? throw new StepAbortedException($"batch norm answered {answer.Verdict} to a request for version {version}");
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
        var key = new NormRoots(_header, norm, forward, _rootCount, wait);
        while (true)
        {
            BlockAnswer answer = await GrainCalls.CallAsync(
                () => _links.BatchNorm.ReduceAsync(key, roots),
                () => $"batch norm {norm} of step {key.Header.Step}").ConfigureAwait(false);
            switch (answer.Verdict)
            {
                case Verdict.Rejected or Verdict.Conflict:
                    throw new ConvNetException(ExitCode.TrainingFailed, answer.Answer.Reason!);
                case Verdict.Stale:
                    throw new StepAbortedException($"batch norm {norm} answered {answer.Verdict}");
                case not Verdict.Future when !wait || answer.Values is not null:
                    return answer.Values;
            }

            // A worker that waits has waited at the server already; one that does not is ahead of the commit there.
            await Task.Delay(wait ? 0 : 10).ConfigureAwait(false);
        }
    }
}
