using ConvNet.Client.Runs;
using ConvNet.Engine.Errors;
using ConvNet.Silo;

namespace ConvNet.Client.Commands;

/// <summary>What the options of a run say.</summary>
/// <param name="StopAfter">Completed steps at which to stop, or null.</param>
/// <param name="ClusterUrl">Null for a local cluster.</param>
internal sealed record RunChoices(long? StopAfter, string? ClusterUrl, bool Json)
{
    /// <summary>Prepares and runs a job; with --json, what fails before there is a run folder is an event, too.</summary>
    public async Task<int> RunAsync(Terminal terminal, Func<RunChoices, Task<int>> run)
    {
        try
        {
            return await run(this);
        }
        catch (Exception e)
        {
            (ExitCode code, string message) = Failures.Explain(e);
            using var events = new RunEvents(null, Json ? terminal.Out : null);
            events.Failed((int)code, message);
            throw;
        }
    }

    /// <summary>Refuses what cannot be done before anything is created.</summary>
    public void Check()
    {
        if (StopAfter is < 1)
        {
            throw ConvNetException.BadInput($"--stop-after must be at least 1; got {StopAfter}.");
        }

        if (ClusterUrl is not null)
        {
            _ = DevCluster.Parse(ClusterUrl);
        }
    }
}
