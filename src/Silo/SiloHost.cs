using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Workers;
using ConvNet.Silo.Processes;
using ConvNet.Silo.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Silo;

/// <summary>One silo as a process of its own.</summary>
public static class SiloHost
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeaveDeadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan JoinDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(2);

    /// <summary>Joins the cluster and serves until it is told to stop.</summary>
    /// <param name="configureLogging">Where logs go; the console is the caller's.</param>
    /// <param name="warn">Called with a sentence about what is unsafe.</param>
    /// <param name="waiting">Called when joining takes long.</param>
    /// <param name="started">Called when the silo has joined, with what its workers compute on.</param>
    /// <param name="draining">Called with a sentence about the jobs that a silo waits for which was told to stop.</param>
    /// <param name="dying">Called with a sentence before the process ends because the silo cannot stay in the cluster.</param>
    /// <exception cref="ConvNetException">
    /// A port is taken, or the primary or Redis cannot be reached (exit code 4); another silo has the name (6); a GPU is asked for that is not there (7);
    /// Redis does not let the silo in, or anybody, or the other silos do not (8).
    /// </exception>
    public static async Task RunAsync(
        ConvNetSiloOptions options,
        Action<ILoggingBuilder> configureLogging,
        Action<string> warn,
        Action waiting,
        Action<string> started,
        Action<string> draining,
        Action<string> dying,
        CancellationToken cancellationToken)
    {
        using var native = new NativeHeap();
        PortCheck.Run(options.Ports, options.Http);
        var readiness = new Readiness();
        await using SiloHttp? http = options.Http is { } port ? await SiloHttp.StartAsync(options, port, readiness, cancellationToken) : null;
        await options.Cluster.CheckAsync(warn, cancellationToken);
        if (options.Cluster.Identity?.Warn(TimeProvider.System) is { } warning)
        {
            warn(warning);
        }

        SiloDevices devices = options.Workers ? new SiloDevices(options.Device.Open(warn)) : SiloDevices.Processor;
        IHost host = Build(options, devices, configureLogging, warn, dying);
        if (options.Cluster.Identity is not null)
        {
            await DemandEntryAsync(host, options, cancellationToken);
        }

        try
        {
            await JoinAsync(host, options, waiting, cancellationToken);
            RefuseTakenName(host.Services.GetRequiredService<IClusterMembershipService>(), host.Services.GetRequiredService<ILocalSiloDetails>());
            host.Services.GetRequiredService<CheckpointCache>().Sweep();
            readiness.Join(host.Services.GetRequiredService<SiloCatalog>(), host.Services.GetService<MembershipRecord>());
            started(devices.Names);
            CancellationToken stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
            await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            readiness.Leave();
            await new SiloDrain(host.Services.GetRequiredService<IGrainFactory>(), options.Name, draining).RunAsync(stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            readiness.Leave();
            await LeaveAsync(host, options.Name, warn);
        }
    }

    /// <summary>Without a store to say goodbye to, Orleans would try for minutes.</summary>
    private static async Task LeaveAsync(IHost host, string name, Action<string> warn)
    {
        try
        {
            await Task.Run(async () =>
            {
                await host.StopAsync();
                host.Dispose();
            }).WaitAsync(LeaveDeadline);
        }
        catch (TimeoutException)
        {
            warn($"silo '{name}' leaves without having said so to its cluster within {LeaveDeadline.TotalSeconds:F0} s; the others notice it by themselves.");
        }
        catch (OperationCanceledException)
        {
            host.Dispose();
        }
        catch (InvalidOperationException)
        {
            // A silo that is still joining cannot be stopped. It ends with its process, which is to say what else was wrong.
        }
    }

    /// <summary>A silo that the others refuse is not to join half, and to write itself into their membership.</summary>
    /// <exception cref="ConvNetException">They refuse it (exit code 8).</exception>
    private static async Task DemandEntryAsync(IHost host, ConvNetSiloOptions options, CancellationToken cancellationToken) =>
        await Admittance.DemandAsync(await options.Cluster.SilosAsync(options.Ports, host.Services), options.Cluster.Identity, cancellationToken);

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
                if (options.Cluster.Identity is null)
                {
                    await DemandEntryAsync(host, options, deadline.Token);
                }
            }

            await joining.WaitAsync(deadline.Token);
        }
        catch (Exception e) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{options.Name}' could not join within {JoinDeadline.TotalSeconds:F0} s: " +
                $"{options.Cluster.Entrance} does not answer; {options.Cluster.JoinAdvice}.",
                e);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ConvNetException))
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{options.Name}' cannot join {options.Cluster.Url} with port {options.Ports.Silos} and gateway {options.Ports.Clients}: " +
                $"{e.GetBaseException().Message.TrimEnd('.')}; check that the ports are free, and {options.Cluster.JoinAdvice}.",
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

    private static IHost Build(
        ConvNetSiloOptions options, SiloDevices devices, Action<ILoggingBuilder> configureLogging, Action<string> warn, Action<string> dying)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(configureLogging);
        builder.Services.AddSingleton<IHostLifetime, OwnSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton(new CheckpointCache(options.Cache, options.OrphanTime));
        builder.Services.AddSingleton(new JobDeadlines { Orphan = options.OrphanTime });
        builder.UseOrleans(silo =>
        {
            options.Cluster.Configure(silo, options.Ports);
            SiloWire.Guard(silo, options.Cluster.Identity, options.Cluster.IsInStore, WireLimits.Default);
            silo.ConfigureConvNetSilo(
                new SiloOffer(options.Name, options.Devices, options.Threads, options.Workers, options.Servers) { Host = options.Host },
                options.Cluster.Head,
                devices);
        });
        builder.Services.AddSingleton(services => new FatalErrors(options.Name, dying, services.GetRequiredService<ILogger<FatalErrors>>()));
        builder.Services.AddSingleton<IFatalErrorHandler>(services => services.GetRequiredService<FatalErrors>());
        if (options.Cluster.IsInStore)
        {
            builder.Services.AddSingleton(new MembershipRecord(StorePatience));
            builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<MembershipWatch>(services, warn));
        }

        return builder.Build();
    }
}
