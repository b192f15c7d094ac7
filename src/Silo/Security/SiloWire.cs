using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Networking.Shared;

namespace ConvNet.Silo.Security;

/// <summary>Puts gates before the ports of a silo, and TLS on all its connections if it has a certificate.</summary>
internal static class SiloWire
{
    /// <param name="isInStore">Whether clients find the cluster in a store, not at this silo.</param>
    public static void Guard(ISiloBuilder silo, PeerIdentity? self, bool isInStore, WireLimits limits)
    {
        silo.Services.AddSingleton(_ => new PendingMessages(limits, TimeProvider.System));
        silo.Services.AddSingleton(_ => new WireMemory(TimeProvider.System, GiveBack));
        silo.Services.AddOptions<SocketConnectionOptions>().Configure<WireMemory>((options, memory) => SetPool(options, () => memory));
        silo.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<RefusalLog>(services, TimeProvider.System));
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<PendingMessages, RefusalLog, WireMemory>((options, pending, refusals, memory) =>
        {
            var silos = new ConnectionGate(PortQuestion.SiloPort, self is not null, limits, pending, refusals, memory);
            string gateway = isInStore ? PortQuestion.GatewayInStore : PortQuestion.Gateway;
            var clients = new ConnectionGate(gateway, self is not null, limits, pending, refusals, memory);
            options.ConfigureSiloInboundConnection(port =>
                silos.Use(port, self is null ? null : connection => WireTls.UseSiloPort(connection, self)));
            options.ConfigureGatewayInboundConnection(port =>
                clients.Use(port, self is null ? null : connection => WireTls.UseGateway(connection, self)));
        });
        if (self is not null)
        {
            WireTls.Secure(silo, self);
        }
    }

    private static void GiveBack() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>Orleans has no other way to be given a pool.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetPool(SocketConnectionOptions options, Func<MemoryPool<byte>> factory);
}
