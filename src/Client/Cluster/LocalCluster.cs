using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Workers;
using ConvNet.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;
using Serilog;

namespace ConvNet.Client.Cluster;

/// <summary>A cluster inside this process: the same silos as in production, connected through memory.</summary>
internal sealed class LocalCluster : ClusterConnection
{
    private static readonly TimeSpan DisposeDeadline = TimeSpan.FromSeconds(5);
    private readonly InProcessTestCluster _cluster;

    private LocalCluster(InProcessTestCluster cluster) => _cluster = cluster;

    public override IGrainFactory Grains => _cluster.Client;

    /// <param name="workers">Over all silos.</param>
    /// <param name="threads">Compute threads per worker.</param>
    /// <param name="devices">What the workers compute on, in the order in which a job takes them, and round again; not owned.</param>
    public static async Task<LocalCluster> StartAsync(int silos, int workers, int threads, IReadOnlyList<ComputeDevice> devices, Serilog.ILogger log)
    {
        int places = (workers + silos - 1) / silos;
        int started = 0;
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.UseRealEnvironmentStatistics = true;
        builder.ConfigureHost(host =>
        {
            host.Services.AddSingleton<IHostLifetime, NoSignals>();
            host.Logging.ClearProviders().AddSerilog(log);
        });
        builder.ConfigureSilo((_, silo) =>
        {
            int number = Interlocked.Increment(ref started);
            IEnumerable<ComputeDevice> own = Enumerable.Range(0, places).Select(place => devices[((place * silos) + number - 1) % devices.Count]);
            silo.ConfigureConvNetSilo(
                new SiloOffer($"local-{number}", places, threads, Workers: true, Servers: true), devices: new SiloDevices([.. own]));
        });
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return new LocalCluster(cluster);
    }

    public override async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(DisposeDeadline);
        try
        {
            await _cluster.StopAllSilosAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            // The process ends anyway, and the silos hold nothing that is not in a checkpoint.
        }

        await _cluster.DisposeAsync();
    }
}
