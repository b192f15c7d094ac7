using ConvNet.Grains.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Silo;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>An in-process cluster of silos with 4 devices each, configured as in production.</summary>
public abstract class ClusterFixture(int silos, JobDeadlines? deadlines = null) : IAsyncLifetime
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
            silo.ConfigureConvNetSilo(new SiloOffer(options.SiloName, Devices: 4, Threads: 1, Workers: true, Servers: true));
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _cluster!.DisposeAsync();
    }
}

public sealed class OneSilo() : ClusterFixture(1);

public sealed class TwoSilos() : ClusterFixture(2);

/// <summary>A silo whose jobs wait for their clients for 2 seconds only.</summary>
public sealed class ImpatientSilo() : ClusterFixture(1, new JobDeadlines { Client = TimeSpan.FromSeconds(2) });

/// <summary>Both clusters, shared by all classes that need one; such classes run one after the other.</summary>
[CollectionDefinition(nameof(ClusterCollection))]
public sealed class ClusterCollection : ICollectionFixture<OneSilo>, ICollectionFixture<TwoSilos>;
