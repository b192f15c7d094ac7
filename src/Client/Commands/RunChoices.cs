using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;

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
            if (Json)
            {
                (ExitCode code, string message) = Failures.Explain(e);
                using var events = new JsonLines(terminal.Out);
                events.Handle(new RunEvent.Failed(code, message));
            }

            throw;
        }
    }

    /// <summary>What shows the run in a terminal: events as JSON, lines that are redrawn in place, or plain ones in a pipe.</summary>
    public IReadOnlyList<RunSink> Sinks(Terminal terminal) =>
        Json ? [new JsonLines(terminal.Out), new QuietView(terminal.Error)] : terminal.IsInteractive ? [new LiveView(terminal)] : [new PlainView(terminal)];

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
