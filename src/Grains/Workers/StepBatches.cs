using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Brings the samples of a worker's steps into the input of its runner, one step after the other. While a runner that
/// <see cref="ModelRunner.PreparesAhead"/> computes a step, those of the next are prepared beside it.
/// </summary>
internal sealed class StepBatches(WorkerDevice device, ShardRange shards)
{
    private ShardPlan? _plan;
    private Task<StepBatch>? _next;

    /// <summary>This worker's part of a step.</summary>
    public ShardPlan PlanOf(long step)
    {
        JobShape shape = device.Job.Shape;
        if (_plan is null || _plan.Tree.Batch != shape.BatchOf(step))
        {
            _plan = new ShardPlan(shape.TreeOf(step), shards.First, shards.End);
        }

        return _plan;
    }

    /// <summary>Has the samples of a step in the runner's input when it returns, and begins to prepare those of the next.</summary>
    /// <param name="endStep">The first step that is not to be prepared.</param>
    public StepBatch Fill(long step, long endStep)
    {
        StepBatch batch = _next?.GetAwaiter().GetResult() ?? Read(step, PlanOf(step), device.Runner.Input);
        _next = null;
        if (device.Runner.PreparesAhead && step + 1 < endStep)
        {
            // On a thread of its own: calls, pulls and signs of life need those of the pool.
            ShardPlan plan = PlanOf(step + 1);
            _next = Task.Factory.StartNew(
                () =>
                {
                    ThreadTeam.YieldToServiceThreads();
                    return Read(step + 1, plan, device.Runner.NextInput);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }

        return batch;
    }

    /// <summary>After a step: what was prepared beside it is the input now.</summary>
    public void Advance()
    {
        if (_next is not null)
        {
            _next.GetAwaiter().GetResult();
            device.Runner.AdvanceInput();
        }
    }

    /// <summary>After a failure: when it returns nobody writes to the runner's memory any more.</summary>
    public void Abandon()
    {
        Task.WhenAny(_next ?? Task.CompletedTask).Wait();
        _next = null;
    }

    private StepBatch Read(long step, ShardPlan plan, Func<int, Activation> input)
    {
        JobSpec job = device.Job;
        int[] samples = device.Batches.Samples(step).Slice(plan.FirstBatchPosition, plan.Samples).ToArray();
        var labels = new int[samples.Length];
        if (samples.Length > 0)
        {
            device.Train.Fill(job.Seed, job.Shape.EpochOf(step), samples, input(samples.Length), labels);
        }

        return new StepBatch(samples, labels);
    }
}
