using Microsoft.Extensions.Hosting;

namespace ConvNet.Silo;

/// <summary>Leaves signals to the program: by default a host would begin to stop at SIGTERM by itself, before the jobs have left the silo.</summary>
internal sealed class OwnSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
