using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace ConvNet.Silo.Security;

/// <summary>Puts gates before the ports of a silo, and TLS on all its connections if it has a certificate.</summary>
internal static class SiloWire
{
    /// <param name="isInStore">Whether clients find the cluster in a store, not at this silo.</param>
    public static void Guard(ISiloBuilder silo, PeerIdentity? self, bool isInStore, WireLimits limits)
    {
        silo.Services.AddSingleton(_ => new PendingMessages(limits, TimeProvider.System));
        silo.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<RefusalLog>(services, TimeProvider.System));
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<PendingMessages, RefusalLog>((options, pending, refusals) =>
        {
            var silos = new ConnectionGate(PortQuestion.SiloPort, self is not null, limits, pending, refusals);
            string gateway = isInStore ? PortQuestion.GatewayInStore : PortQuestion.Gateway;
            var clients = new ConnectionGate(gateway, self is not null, limits, pending, refusals);
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
}
