using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Silo;

/// <summary>One silo as a process of its own.</summary>
public static class SiloHost
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan JoinDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(2);

    /// <summary>Joins the cluster and serves until it is told to stop.</summary>
    /// <param name="configureLogging">Where logs go; the console is the caller's.</param>
    /// <param name="waiting">Called when joining takes long.</param>
    /// <param name="started">Called when the silo has joined.</param>
    /// <param name="dying">Called with a sentence before the process ends because the silo cannot stay in the cluster.</param>
    /// <exception cref="ConvNetException">
    /// A port is taken or the primary cannot be reached (exit code 4), or another silo has the name (exit code 6).
    /// </exception>
    public static async Task RunAsync(
        ConvNetSiloOptions options,
        Action<ILoggingBuilder> configureLogging,
        Action waiting,
        Action started,
        Action<string> dying,
        CancellationToken cancellationToken)
    {
        PortCheck.Run(options);
        using IHost host = Build(options, configureLogging, dying);
        await JoinAsync(host, options, waiting, cancellationToken);
        RefuseTakenName(host.Services.GetRequiredService<IClusterMembershipService>(), host.Services.GetRequiredService<ILocalSiloDetails>());
        host.Services.GetRequiredService<CheckpointCache>().Sweep();
        started();
        await host.WaitForShutdownAsync(cancellationToken);
    }

    private static async Task JoinAsync(IHost host, ConvNetSiloOptions options, Action waiting, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(JoinDeadline);
        try
        {
            Task joining = Task.Run(() => host.StartAsync(deadline.Token), CancellationToken.None);
            if (await Task.WhenAny(joining, Task.Delay(JoinPatience, cancellationToken)) != joining && !cancellationToken.IsCancellationRequested)
            {
                waiting();
            }

            await joining.WaitAsync(deadline.Token);
        }
        catch (Exception e) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{options.Name}' could not join within {JoinDeadline.TotalSeconds:F0} s: " +
                $"the primary silo at {options.Cluster.Primary} does not answer; " +
                $"start it first (convnet silo --name node-1 --cluster dev://{options.Cluster.Primary} --port {options.Cluster.Primary.Port}), " +
                "or correct the URL of --cluster.",
                e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{options.Name}' cannot join the cluster at {options.Cluster.Primary} with port {options.Port} and gateway {options.Gateway}: " +
                $"{e.GetBaseException().Message.TrimEnd('.')}; check that the ports are free and that the silo with port {options.Cluster.Primary.Port} runs.",
                e);
        }
    }

    /// <summary>Workers are addressed by the names of their silos. The one that came later leaves again.</summary>
    private static void RefuseTakenName(IClusterMembershipService membership, ILocalSiloDetails self)
    {
        ClusterMember? other = membership.CurrentSnapshot.Members.Values.FirstOrDefault(member =>
            member.Status == SiloStatus.Active && member.Name == self.Name && !member.SiloAddress.Equals(self.SiloAddress)
            && member.SiloAddress.Generation <= self.SiloAddress.Generation);
        if (other is not null)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"the silo at {other.SiloAddress.Endpoint} already has the name '{self.Name}'; choose another --name.");
        }
    }

    private static IHost Build(ConvNetSiloOptions options, Action<ILoggingBuilder> configureLogging, Action<string> dying)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(configureLogging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(new CheckpointCache(options.Cache, options.OrphanTime));
        builder.UseOrleans(silo =>
        {
            options.Cluster.Configure(silo, options.Port, options.Gateway);
            silo.ConfigureConvNetSilo(
                new SiloOffer(options.Name, options.Devices, options.Threads, options.Workers, options.Servers), options.Cluster.Primary);
        });
        builder.Services.AddSingleton<IFatalErrorHandler>(services =>
            new FatalErrors(options.Name, dying, services.GetRequiredService<ILogger<FatalErrors>>()));
        return builder.Build();
    }
}
