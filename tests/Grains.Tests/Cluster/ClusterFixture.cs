using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Servers;
using ConvNet.Grains.Workers;
using ConvNet.Silo;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>An in-process cluster of silos with 4 devices each, configured as in production.</summary>
public abstract class ClusterFixture(
    int silos, JobDeadlines? deadlines = null, ServerDeadlines? servers = null, CheckpointCache? cache = null, WorkerDeadlines? workers = null) : IAsyncLifetime
{
    private InProcessTestCluster? _cluster;

    public IGrainFactory Grains => _cluster!.Client;

    /// <summary>In order; the test host gives the names.</summary>
    public IReadOnlyList<string> SiloNames => [.. _cluster!.Silos.Select(silo => silo.Name).Order(StringComparer.Ordinal)];

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((options, silo) =>
        {
            silo.Services.AddSingleton(deadlines ?? new JobDeadlines());
            silo.Services.AddSingleton(servers ?? new ServerDeadlines());
            silo.Services.AddSingleton(workers ?? new WorkerDeadlines());
            silo.Services.AddSingleton(cache ?? new CheckpointCache(null, CheckpointCache.DefaultKeep));

            // Orleans takes the fakes of other tests for grains.
            silo.Services.Configure<GrainTypeOptions>(grains => grains.Classes.RemoveWhere(type => type.Assembly == typeof(ClusterFixture).Assembly));
            Configure(silo);
            silo.ConfigureConvNetSilo(new SiloOffer(options.SiloName, Devices: 4, Threads: 1, Workers: true, Servers: true));
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    /// <summary>What a cluster has that others have not.</summary>
    protected virtual void Configure(ISiloBuilder silo)
    {
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _cluster!.DisposeAsync();
    }
}
