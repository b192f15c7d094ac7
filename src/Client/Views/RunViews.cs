using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>What shows a run: events as JSON, lines that are redrawn in place, or plain ones in a pipe.</summary>
internal static class RunViews
{
    public static IReadOnlyList<RunSink> For(Terminal terminal, string jobId, bool json) => json
        ? [new JsonLines(terminal.Out, jobId), new QuietView(terminal.Error)]
        : terminal.IsInteractive ? [new LiveView(terminal)] : [new PlainView(terminal)];
}
