using System.Collections.Concurrent;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>
/// What a worker holds for a job as long as it has a part in it, whatever its assignment: the data set, what runs the model on its device, its
/// compute threads, and the thread that carries out orders one after the other, so that training never runs on a grain's turn or on the thread pool.
/// </summary>
internal sealed class WorkerDevice : IDisposable
{
    private readonly Dataset _data;
    private readonly ThreadTeam _team;
    private readonly BlockingCollection<Action> _orders = new(new ConcurrentQueue<Action>(), boundedCapacity: 16);

    /// <param name="name">The worker's key.</param>
    /// <param name="compute">What runs the model; not owned.</param>
    /// <param name="threads">Compute threads.</param>
    public WorkerDevice(string name, ComputeDevice compute, int threads, JobSpec job, Dataset data, WorkerProgress progress)
    {
        Name = name;
        Job = job;
        Progress = progress;
        _data = data;
        Batches = new BatchPlan(job.Seed, job.Shape);
        Train = new BatchFiller(data.Train, job.Adapter, job.Augmentation);
        Test = new BatchFiller(data.Test, job.Adapter, augmentation: null);
        _team = new ThreadTeam(threads, name);
        Runner = compute.CreateRunner(new Model(job.Model, job.BatchNormMode), _team, job.Kernels);
        new Thread(Work) { IsBackground = true, Name = name }.Start();
    }

    public string Name { get; }

    public JobSpec Job { get; }

    public WorkerProgress Progress { get; }

    public BatchPlan Batches { get; }

    public BatchFiller Train { get; }

    public BatchFiller Test { get; }

    public int TestSamples => _data.Test.Count;

    public ModelRunner Runner { get; }

    /// <summary>Refuses a part of the batch that the device has no room for.</summary>
    /// <exception cref="ConvNetException">Exit code 7.</exception>
    public void DemandMemory(ShardRange shards) =>
        Runner.DemandMemory(new ShardPlan(Job.Shape.TreeOf(0), shards.First, shards.End));

    /// <summary>Adds an order to those that wait.</summary>
    /// <param name="order">Throws nothing: an exception on the device's thread would end the process.</param>
    public void Post(Action order)
    {
        if (!_orders.TryAdd(order))
        {
            throw new InvalidOperationException($"worker {Name} has {_orders.Count} orders waiting; the job sends orders faster than it should.");
        }
    }

    /// <summary>Returns at once; the thread frees everything when the orders that it has are over.</summary>
    public void Dispose() => _orders.CompleteAdding();

    private void Work()
    {
        ThreadTeam.YieldToServiceThreads();
        foreach (Action order in _orders.GetConsumingEnumerable())
        {
            order();
            if (_orders.Count == 0)
            {
                Progress.Enter(WorkerPhase.Idle);
            }
        }

        _team.Dispose();
        Runner.Dispose();
    }
}
