using ConvNet.Engine;
using ConvNet.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace ConvNet.Silo;

/// <summary>One silo as a process of its own.</summary>
public static class SiloHost
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Joins the cluster and serves until it is told to stop.</summary>
    /// <param name="configureLogging">Where logs go; the console is the caller's.</param>
    /// <param name="started">Called when the silo has joined.</param>
    /// <exception cref="ConvNetException">The port is taken or the primary cannot be reached (exit code 4).</exception>
    public static async Task RunAsync(
        ConvNetSiloOptions options, Action<ILoggingBuilder> configureLogging, Action started, CancellationToken cancellationToken)
    {
        using IHost host = Build(options, configureLogging);
        try
        {
            await host.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{options.Name}' cannot join the cluster at {options.Cluster.Primary} with port {options.Port} and gateway {options.Gateway}: " +
                $"{e.GetBaseException().Message}; check that the ports are free and that the silo with port {options.Cluster.Primary.Port} runs",
                e);
        }

        started();
        await host.WaitForShutdownAsync(cancellationToken);
    }

    private static IHost Build(ConvNetSiloOptions options, Action<ILoggingBuilder> configureLogging)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(configureLogging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.UseOrleans(silo =>
        {
            bool primary = options.Cluster.Primary.Port == options.Port;
            silo.UseDevelopmentClustering(primary ? null : options.Cluster.Primary);
            silo.ConfigureEndpoints(options.Cluster.Primary.Address, options.Port, options.Gateway);
            silo.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = DevCluster.ClusterId;
                cluster.ServiceId = DevCluster.ServiceId;
            });
            silo.ConfigureConvNetSilo(new SiloOffer(options.Name, options.Devices, options.Threads, options.Workers, options.Servers));
        });
        return builder.Build();
    }
}
