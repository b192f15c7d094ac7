using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Metering;

namespace ConvNet.Grains.Workers;

/// <summary>
/// One worker's part in one generation of a job: the exchange with its servers, and its orders, which its device carries out. When it ends, by a
/// newer generation or by a failure, the orders that it has end without effect.
/// </summary>
internal sealed class WorkerSession
{
    private readonly WorkerDevice _device;
    private readonly Assignment _assignment;
    private readonly int _worker;
    private readonly WorkerLinks _links;
    private readonly EngineWaits _waits;
    private readonly GrainExchange _exchange;
    private readonly StepBatches _batches;

    /// <param name="worker">Its index in the assignment.</param>
    /// <param name="waits">End with the assignment.</param>
    public WorkerSession(WorkerDevice device, WorkerLinks links, Assignment assignment, int worker, EngineWaits waits)
    {
        _device = device;
        _assignment = assignment;
        _worker = worker;
        _links = links;
        _waits = waits;
        _batches = new StepBatches(device, assignment.Workers[worker].Shards);
        _exchange = new GrainExchange(device.Runner.Model, links, assignment, worker, waits, device.Progress);
    }

    public void Train(long firstStep, long endStep) => Post(() =>
    {
        for (long step = firstStep; step < endStep; step++)
        {
            TrainStep(step, endStep);
        }
    });

    public void Evaluate(long version, int firstBlock, int endBlock) => Post(() =>
    {
        _device.Progress.Enter(WorkerPhase.WaitingForParameters);
        _exchange.PullAll(version);
        _device.Runner.PrepareEvaluation(ReadStatistics(version));
        _device.Progress.Enter(WorkerPhase.Evaluating);
        var blocks = new Metrics[endBlock - firstBlock];
        for (int block = firstBlock; block < endBlock; block++)
        {
            _waits.ThrowIfEnded();
            Metrics metrics = Evaluation.EvaluateBlock(_device.Runner, _device.Test, _device.TestSamples, block);
            blocks[block - firstBlock] = metrics;
            _device.Progress.AddEvaluated(metrics.Count);
        }

        Tell(job => job.EvaluationDoneAsync(_assignment.HeaderOf(version, _worker), firstBlock, blocks));
    });

    private void TrainStep(long step, long endStep)
    {
        long start = _device.Progress.Enter(WorkerPhase.Computing);
        int computed = 0;
        try
        {
            ShardPlan plan = _batches.PlanOf(step);
            _exchange.BeginStep(step, plan);
            StepBatch batch = _batches.Fill(step, endStep);
            Metrics[] metrics = _device.Runner.TrainStep(plan, _exchange, step, _device.Job.Seed, batch.Labels, batch.Samples);
            _exchange.EndStep(metrics, plan.Samples);
            computed = plan.EndShard - plan.FirstShard;
            _batches.Advance();
        }
        finally
        {
            _device.Progress.AddTraining(start, computed);
        }
    }

    private List<BatchNormState> ReadStatistics(long version)
    {
        var states = new List<BatchNormState>();
        for (int norm = 0; norm < _device.Runner.Model.BatchNorms.Count; norm++)
        {
            using TensorBlock block = _exchange.ReadStatistics(version, norm);
            int channels = block.Length / 2;
            states.Add(new BatchNormState(
                _device.Runner.Model.BatchNorms[norm].Name, block.Span[..channels].ToArray(), block.Span[channels..].ToArray()));
        }

        return states;
    }

    private void Tell(Func<IJobControlGrain, Task<Answer>> call) => _waits.Wait(GrainCalls.CallAsync(
        () => call(_links.Job), () => $"message of worker {_device.Name} to its job", cancellation: _waits.Token));

    private void Post(Action order) => _device.Post(() => Carry(order));

    /// <summary>Runs one order. Nothing may escape: an exception on the device's thread would end the process.</summary>
    private void Carry(Action order)
    {
        try
        {
            order();
        }
        catch (Exception e)
        {
            // The runner's memory is the next order's.
            _exchange.Abandon();
            _batches.Abandon();
            Report(e);
            _waits.End();
        }
    }

    private void Report(Exception e)
    {
        if (e is StepAbortedException || _waits.HaveEnded)
        {
            // A newer generation is on its way with new orders, or the job has given the worker up.
            return;
        }

        JobMeter.CountWorkerError();
        try
        {
            long step = _device.Progress.Step;
            JobFailure failure = GrainFailure.ToFailure(e, $"worker {_device.Name}, step {step}");
            Tell(job => job.FailedAsync(_assignment.HeaderOf(step, _worker), _device.Name, failure));
        }
        catch (Exception)
        {
            // The job grain is gone or has forgotten the job: there is nobody left to tell.
        }
    }
}
