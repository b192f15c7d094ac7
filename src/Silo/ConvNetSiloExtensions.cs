using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains;
using ConvNet.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace ConvNet.Silo;

/// <summary>The one configuration of a ConvNet silo: the same for a process of its own, the local cluster and the tests.</summary>
public static class ConvNetSiloExtensions
{
    /// <summary>16 MiB, far above what is ever sent in one message (512 KiB): a larger one is an error, not a plan.</summary>
    private const int MaxMessageBytes = 16 * 1024 * 1024;

    /// <param name="head">Null in a cluster inside one process, where any silo may be it.</param>
    /// <param name="devices">What its workers compute on; null: the processor.</param>
    public static ISiloBuilder ConfigureConvNetSilo(this ISiloBuilder silo, SiloOffer offer, ClusterHead? head = null, SiloDevices? devices = null)
    {
        devices ??= SiloDevices.Processor;
        silo.Services.AddSingleton(devices);
        silo.Services.AddConvNetGrains(head ?? new ClusterHead(Primary: null));
        silo.UseSiloMetadata((offer with { Compute = devices.Names }).ToMetadata());
        silo.Services.PostConfigure<SiloOptions>(options => options.SiloName = offer.Name);
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.ResponseTimeout = TimeSpan.FromSeconds(30);
            options.CancelRequestOnTimeout = true;
            options.MaxMessageBodySize = MaxMessageBytes;

            // A client leaves a silo that is silent for seconds. When that goes on, it keeps answers for the client to come back to it, for this time;
            // only later ones take the way by which their question came.
            options.ClientDropTimeout = TimeSpan.FromSeconds(1);
        });

        // Seconds, not the default of over a minute, until a frozen silo is out; the job grain has deadlines of its own besides.
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.MinProbeTimeout = TimeSpan.FromSeconds(0.5);
            options.MaxProbeTimeout = TimeSpan.FromSeconds(2);
            options.NumMissedProbesLimit = 3;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        });
        return silo;
    }
}
