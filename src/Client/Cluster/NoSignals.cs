using Microsoft.Extensions.Hosting;

namespace ConvNet.Client.Cluster;

/// <summary>Keeps the hosts inside this process from reacting to Ctrl-C by themselves: the command decides when they stop.</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
