using ConvNet.Client.Views;

namespace ConvNet.Client.Monitor;

/// <summary>Tells of a cluster in plain lines, for pipes and log files, until it is told to stop.</summary>
/// <param name="url">Of the cluster.</param>
internal sealed class PlainMonitor(Terminal terminal, ClusterWatch watch, string url)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly JobLines _lines = new(terminal, url);
    private Trouble? _trouble;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await watch.AskAsync(stop);
                Show(watch.Picture);
                await Task.Delay(Interval, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void Show(ClusterPicture picture)
    {
        if (picture.Trouble is { } trouble && trouble.Since != _trouble?.Since)
        {
            terminal.Say(trouble.Sentence);
        }
        else if (picture.Trouble is null && _trouble is not null)
        {
            terminal.Say("The cluster answers again.");
        }

        _trouble = picture.Trouble;
        if (_trouble is null)
        {
            _lines.Show(picture.Jobs, picture.Silent);
        }
    }
}
