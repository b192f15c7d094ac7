using ConvNet.Grains.Contracts;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>
/// A silo whose store can be away and whose workers can be met when they are called. Its jobs have leases of 2 seconds, and workers without an
/// assignment ask after half a second whether they are needed.
/// </summary>
public sealed class RiggedSilo() : ClusterFixture(
    1, new JobDeadlines { Lease = TimeSpan.FromSeconds(2) }, workers: new WorkerDeadlines { Question = TimeSpan.FromSeconds(0.5) })
{
    /// <summary>Called with the key of a worker and the name of the method, before the worker is.</summary>
    public Func<string, string, Task> Meet { get; set; } = (_, _) => Task.CompletedTask;

    internal RiggedStore Store { get; } = new();

    public string[] Workers => [.. Enumerable.Range(0, 4).Select(device => $"{SiloNames[0]}/{device}")];

    protected override void Configure(ISiloBuilder silo)
    {
        silo.Services.AddKeyedSingleton<IGrainStorage>(ConvNetGrainServices.JobStore, Store);
        silo.AddIncomingGrainCallFilter(async context =>
        {
            if (context.Grain is IWorkerGrain worker)
            {
                await Meet(worker.GetPrimaryKeyString(), context.MethodName);
            }

            await context.Invoke();
        });
    }
}
