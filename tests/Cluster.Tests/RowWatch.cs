using System.Diagnostics;

namespace ConvNet.Cluster.Tests;

/// <summary>Looks at the metrics of a run from now on: how long they do not grow.</summary>
internal sealed class RowWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _ended = new();
    private readonly Task _watching;
    private double _longest;

    public RowWatch(string path) => _watching = Task.Run(() => WatchAsync(path));

    /// <summary>The longest time without a row, in seconds: what comes after the last one does not count.</summary>
    public double Longest => Volatile.Read(ref _longest);

    public void Stop()
    {
        _ended.Cancel();
        _watching.Wait();
    }

    public void Dispose()
    {
        Stop();
        _ended.Dispose();
    }

    private async Task WatchAsync(string path)
    {
        long last = Stopwatch.GetTimestamp();
        for (long length = LengthOf(path); !_ended.IsCancellationRequested; await Task.Delay(Period))
        {
            if (LengthOf(path) is var now && now != length)
            {
                length = now;
                Volatile.Write(ref _longest, Math.Max(_longest, Stopwatch.GetElapsedTime(last).TotalSeconds));
                last = Stopwatch.GetTimestamp();
            }
        }
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
