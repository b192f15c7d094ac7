using System.Collections.Concurrent;
using ConvNet.Engine.Data;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Workers;

/// <summary>
/// One worker's part in one job: the network, its compute threads and the exchange. Orders are carried out one after the other by
/// a thread of its own, so that training never runs on a grain's turn or on the thread pool.
/// </summary>
internal sealed class WorkerSession : IDisposable
{
    private readonly Assignment _assignment;
    private readonly int _worker;
    private readonly JobSpec _job;
    private readonly int _testSamples;
    private readonly WorkerLinks _links;
    private readonly string _name;
    private readonly BatchPlan _batches;
    private readonly BatchFiller _train;
    private readonly BatchFiller _test;
    private readonly ThreadTeam _team;
    private readonly Network _network;
    private readonly GrainExchange _exchange;
    private readonly BlockingCollection<Action> _orders = new(new ConcurrentQueue<Action>(), boundedCapacity: 16);
    private volatile bool _stopping;
    private long _samples;
    private long _evaluated;
    private long _step;
    private double _seconds;

    /// <param name="worker">Its index in the assignment.</param>
    public WorkerSession(Assignment assignment, int worker, JobSpec job, Dataset data, WorkerLinks links)
    {
        _assignment = assignment;
        _worker = worker;
        _job = job;
        _testSamples = data.Test.Count;
        _links = links;
        _name = assignment.Workers[worker].Name;
        _batches = new BatchPlan(job.Seed, job.Shape);
        _train = new BatchFiller(data.Train, job.Adapter, job.Augmentation);
        _test = new BatchFiller(data.Test, job.Adapter, augmentation: null);
        _team = new ThreadTeam(assignment.Workers[worker].Threads, _name);
        _network = new Network(new Model(job.Model, job.BatchNormMode), _team, job.Kernels);
        _exchange = new GrainExchange(_network.Model, links, assignment, worker);
        new Thread(Work) { IsBackground = true, Name = _name }.Start();
    }

    public WorkerStatus Status => new(
        _name,
        Shards.First,
        Shards.End,
        Volatile.Read(ref _step),
        Volatile.Read(ref _samples),
        Math.Max(0, _seconds - _exchange.BatchNormSeconds - _exchange.PushSeconds - _exchange.PullSeconds),
        _exchange.BatchNormSeconds,
        _exchange.PushSeconds,
        _exchange.PullSeconds)
    {
        EvaluatedSamples = Volatile.Read(ref _evaluated),
    };

    private ShardRange Shards => _assignment.Workers[_worker].Shards;

    public void Train(long firstStep, long endStep) => Post(() =>
    {
        for (long step = firstStep; step < endStep && !_stopping; step++)
        {
            TrainStep(step);
        }
    });

    public void Evaluate(long version, int firstBlock, int endBlock) => Post(() =>
    {
        _exchange.PullAll(version);
        _network.PrepareEvaluation(ReadStatistics(version));
        var blocks = new Metrics[endBlock - firstBlock];
        for (int block = firstBlock; block < endBlock && !_stopping; block++)
        {
            Metrics metrics = Evaluation.EvaluateBlock(_network, _test, _testSamples, block);
            blocks[block - firstBlock] = metrics;
            Volatile.Write(ref _evaluated, _evaluated + metrics.Count);
        }

        if (_stopping)
        {
            return;
        }

        Tell(job => job.EvaluationDoneAsync(_assignment.HeaderOf(version, _worker), firstBlock, blocks));
    });

    /// <summary>Stops after the step in progress; returns at once, and the thread frees everything when it ends.</summary>
    public void Dispose()
    {
        _stopping = true;
        _orders.CompleteAdding();
    }

    private void TrainStep(long step)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        ReadOnlySpan<int> batch = _batches.Samples(step);
        var plan = new ShardPlan(_job.Shape.TreeOf(step), Shards.First, Shards.End);
        _exchange.BeginStep(step, plan);
        int[] indices = batch.Slice(plan.FirstBatchPosition, plan.Samples).ToArray();
        var labels = new int[indices.Length];
        if (indices.Length > 0)
        {
            _train.Fill(_job.Seed, _job.Shape.EpochOf(step), indices, _network.Input(indices.Length), labels);
        }

        Metrics[] metrics = _network.TrainStep(plan, _exchange, step, _job.Seed, labels, indices);
        _exchange.EndStep(metrics);
        _seconds += clock.Elapsed.TotalSeconds;
        Volatile.Write(ref _samples, _samples + plan.Samples);
        Volatile.Write(ref _step, step + 1);
    }

    private List<BatchNormState> ReadStatistics(long version)
    {
        var states = new List<BatchNormState>();
        for (int norm = 0; norm < _network.Model.BatchNorms.Count; norm++)
        {
            using TensorBlock block = _exchange.ReadStatistics(version, norm);
            int channels = block.Length / 2;
            states.Add(new BatchNormState(
                _network.Model.BatchNorms[norm].Name, block.Span[..channels].ToArray(), block.Span[channels..].ToArray()));
        }

        return states;
    }

    private void Post(Action order)
    {
        if (!_orders.TryAdd(order))
        {
            throw new InvalidOperationException($"worker {_name} has {_orders.Count} orders waiting; the job sends orders faster than it should");
        }
    }

    private void Tell(Func<IJobControlGrain, Task<Answer>> call) =>
        GrainCalls.CallAsync(() => call(_links.Job), () => $"message of worker {_name} to its job").GetAwaiter().GetResult();

    private void Work()
    {
        ThreadTeam.YieldToServiceThreads();
        foreach (Action order in _orders.GetConsumingEnumerable())
        {
            if (!_stopping)
            {
                Carry(order);
            }
        }

        _team.Dispose();
        _network.Dispose();
    }

    /// <summary>Runs one order. Nothing may escape: an exception on this thread would end the process.</summary>
    private void Carry(Action order)
    {
        try
        {
            order();
        }
        catch (StepAbortedException)
        {
            // A newer generation is on its way with new orders; this one's state is dropped.
        }
        catch (Exception e)
        {
            if (!_stopping)
            {
                Report(e);
            }
        }
    }

    private void Report(Exception e)
    {
        try
        {
            JobFailure failure = GrainFailure.ToFailure(e, $"worker {_name}, step {_step}");
            Tell(job => job.FailedAsync(_assignment.HeaderOf(_step, _worker), _name, failure));
        }
        catch (Exception)
        {
            // The job grain is gone or has forgotten the job: there is nobody left to tell.
        }
    }
}
