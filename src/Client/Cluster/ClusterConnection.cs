using System.Diagnostics;
using System.Net;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Serilog;

namespace ConvNet.Client.Cluster;

/// <summary>A cluster to which this process can talk: one that runs elsewhere, or <see cref="LocalCluster"/>.</summary>
internal abstract class ClusterConnection : IAsyncDisposable
{
    public abstract IGrainFactory Grains { get; }

    /// <summary>Connects to silos in other processes.</summary>
    /// <exception cref="ConvNetException">
    /// Nobody answers there, or a silo of another cluster does (exit code 4); Redis or the silos do not let us in (8).
    /// </exception>
    public static async Task<ClusterConnection> ConnectAsync(SiloCluster cluster, Serilog.ILogger log)
    {
        await cluster.CheckAsync(warning => log.Warning("{Warning}", warning));
        if (cluster.Identity?.Warn(TimeProvider.System) is { } soon)
        {
            log.Warning("{Warning}", soon);
        }

        return await RemoteCluster.OpenAsync(cluster, log);
    }

    public virtual IJobGrain Job(string id) => Grains.GetGrain<IJobGrain>(id);

    public virtual IJobDirectoryGrain Jobs => Grains.GetGrain<IJobDirectoryGrain>(0);

    public virtual IClusterGrain Silos => Grains.GetGrain<IClusterGrain>(0);

    /// <summary>Tells whether the cluster answers when a job does not; null for a cluster that does not outlive the silo that leads it.</summary>
    public virtual Func<Task<bool>>? Witness => null;

    public abstract ValueTask DisposeAsync();

    /// <summary>The client of a cluster in other processes.</summary>
    private sealed class RemoteCluster(IHost host, bool outlivesItsSilos) : ClusterConnection
    {
        /// <summary>With a silo that is asked whether it is there.</summary>
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

        /// <summary>Gateways that are asked whether to go on; one that answers is enough.</summary>
        private const int MaxAsked = 8;

        /// <summary>Of calls that have none of their own. A call in flight does not notice that its silo has died.</summary>
        private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(3);
        private static readonly TimeSpan DisposeDeadline = TimeSpan.FromSeconds(5);

        public override Func<Task<bool>>? Witness =>
            outlivesItsSilos ? host.Services.GetRequiredService<AnsweringGateways>().AnyAnswersAsync : null;

        public override IGrainFactory Grains => host.Services.GetRequiredService<IClusterClient>();

        public static async Task<ClusterConnection> OpenAsync(SiloCluster cluster, Serilog.ILogger log)
        {
            IHost? host = null;
            HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Services.AddSingleton<IHostLifetime, NoSignals>();
            builder.Logging.AddSerilog(log);
            builder.UseOrleansClient(client =>
            {
                cluster.Configure(client);
                AnsweringGateways.Use(client);
                client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
                client.UseConnectionRetryFilter(async (_, cancel) =>
                {
                    if (cluster.Identity is null)
                    {
                        await DemandEntryAsync(cluster, host!, cancel);
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(500), cancel);
                    return true;
                });
                if (cluster.Identity is not null)
                {
                    WireTls.Secure(client, cluster.Identity);
                }
            });
            host = builder.Build();
            try
            {
                await ConnectAsync(cluster, host);
            }
            catch (Exception e)
            {
                log.Error(e, "Could not connect to {Cluster}", cluster.Url);
                host.Dispose();
                throw;
            }

            var connection = new RemoteCluster(host, outlivesItsSilos: cluster is not DevCluster);
            try
            {
                if (cluster is DevCluster dev)
                {
                    await connection.DemandPrimaryAsync(dev);
                }

                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }

        /// <exception cref="ConvNetException">No silo answers, or none has let this client in for minutes (exit code 4).</exception>
        private static async Task ConnectAsync(SiloCluster cluster, IHost host)
        {
            using var end = new CancellationTokenSource();
            long start = Stopwatch.GetTimestamp();
            try
            {
                Task entering = Task.Run(() => EnterAsync(cluster, host, end.Token), CancellationToken.None);
                if (!await ConnectDeadline.WaitAsync(entering, () => IsAnsweredAsync(cluster, host), TimeProvider.System, end.Token))
                {
                    await end.CancelAsync();
                }

                await entering;
            }
            catch (Exception e) when (e is not ConvNetException)
            {
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                throw new ConvNetException(
                    ExitCode.Environment,
                    seconds >= ConnectDeadline.Longest.TotalSeconds
                        ? FormattableString.Invariant($"silos answer at {cluster.Reception}, but none has let this client in within {seconds:F0} s; ") +
                            "they or this machine have too much to do: try again, or see their logs."
                        : FormattableString.Invariant($"no silo answers at {cluster.Reception} within {seconds:F0} s; ") +
                            $"start one: 'convnet silo --name node-1 {cluster.Arguments}', or try again if silos run there and are busy.",
                    e);
            }
            finally
            {
                await end.CancelAsync();
            }
        }

        private static async Task EnterAsync(SiloCluster cluster, IHost host, CancellationToken cancellation)
        {
            if (cluster is DevCluster named)
            {
                await DemandGatewayAsync(named, cancellation);
            }

            if (cluster.Identity is not null)
            {
                await DemandEntryAsync(cluster, host, cancellation);
            }

            await host.StartAsync(cancellation);
        }

        private static async Task<bool> IsAnsweredAsync(SiloCluster cluster, IHost host)
        {
            IReadOnlyList<IPEndPoint> gateways = await cluster.GatewaysAsync(host.Services);
            bool[] answers = await Task.WhenAll(
                gateways.Take(MaxAsked).Select(gateway => PortQuestion.IsAnsweredAsync(gateway, Patience, CancellationToken.None)));
            return Array.Exists(answers, isAnswered => isAnswered);
        }

        /// <summary>At the port for other silos Orleans would try until the deadline.</summary>
        private static async Task DemandGatewayAsync(DevCluster cluster, CancellationToken cancellation)
        {
            var gateway = new IPEndPoint(cluster.Primary.Address, cluster.Gateway);
            string? problem = await PortQuestion.AskAsync(gateway, cancellation) switch
            {
                PortQuestion.SiloPort => "is the port of a silo for other silos, not its gateway; name in ?gateway=PORT of the URL what the silo was " +
                    "given as --gateway (it says so when it starts)",
                PortQuestion.GatewayInStore => "is the gateway of a silo whose cluster is in Redis, which a dev:// URL does not mean; give the client the " +
                    "--cluster redis://HOST:PORT?id=NAME that the silo was given",
                _ => null,
            };
            if (problem is not null)
            {
                throw new ConvNetException(ExitCode.Environment, $"{gateway} {problem}.");
            }
        }

        /// <summary>Tried before anything else with a certificate, and without one only when a silo does not answer as it should.</summary>
        private static async Task DemandEntryAsync(SiloCluster cluster, IHost host, CancellationToken cancellation) =>
            await Admittance.DemandAsync(await cluster.GatewaysAsync(host.Services), cluster.Identity, cancellation);

        /// <summary>Whoever has the gateway's port answers there, perhaps for another cluster on the same host.</summary>
        private async Task DemandPrimaryAsync(DevCluster cluster)
        {
            var contact = new ClusterContact(() => $"the cluster {cluster.Url}", TimeProvider.System);
            Dictionary<SiloAddress, SiloStatus> silos = await contact.AskAsync(() => Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true));
            if (!silos.Keys.Any(silo => silo.Endpoint.Equals(cluster.Primary)))
            {
                string members = string.Join(", ", silos.Keys.Select(silo => silo.Endpoint.ToString()).Order(StringComparer.Ordinal));
                throw new ConvNetException(
                    ExitCode.Environment,
                    $"the gateway at {cluster.Primary.Address}:{cluster.Gateway} is of another cluster: its silos are {members}, " +
                    $"and {cluster.Url} means the one whose primary is {cluster.Primary}; " +
                    "correct the port, or name the gateway of that primary with ?gateway=PORT.");
            }
        }

        public override async ValueTask DisposeAsync()
        {
            using var deadline = new CancellationTokenSource(DisposeDeadline);
            try
            {
                await host.StopAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                // The cluster may be gone; nothing here needs its farewell.
            }

            host.Dispose();
        }
    }
}
