using ConvNet.Client.Views;

namespace ConvNet.Client.Monitor;

/// <summary>Shows a cluster on the whole screen, and obeys keys, until somebody leaves.</summary>
/// <param name="url">Of the cluster.</param>
internal sealed class MonitorSession(Terminal terminal, FullScreen window, ClusterWatch watch, string url)
{
    /// <summary>Without a key or news the screen is drawn anew for a window of another size.</summary>
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(250);

    /// <summary>Ends when somebody quits or the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var screen = new MonitorScreen(terminal, url);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var news = new SemaphoreSlim(0);
        MonitorKeys? keys = terminal.ReadKey is { } readKey ? MonitorKeys.Read(readKey) : null;
        Task watching = Task.Run(() => watch.RunAsync(() => news.Release(), leaving.Token), CancellationToken.None);
        Task waiting = news.WaitAsync(leaving.Token), pressed = PressedAsync(keys, leaving.Token);
        while (!screen.HasQuit && !stop.IsCancellationRequested && !watching.IsCompleted)
        {
            screen.Take(watch.Picture);
            ScreenSize size = terminal.SizeNow;
            window.Show(screen.Rows(size), size);
            await Task.WhenAny(pressed, waiting, watching, Task.Delay(Redraw, leaving.Token));
            if (waiting.IsCompleted)
            {
                waiting = news.WaitAsync(leaving.Token);
            }

            while (keys?.TryTake(out MonitorKey key) == true)
            {
                screen.Press(key);
            }

            if (pressed.IsCompleted)
            {
                pressed = PressedAsync(keys, leaving.Token);
            }

            watch.OpenJob = screen.OpenJob;
        }

        await leaving.CancelAsync();
        await watching;
    }

    /// <summary>Ends with the next key; never where there are none.</summary>
    private static Task PressedAsync(MonitorKeys? keys, CancellationToken cancellation) =>
        keys?.WaitAsync(cancellation) ?? Task.Delay(Timeout.Infinite, cancellation);
}
