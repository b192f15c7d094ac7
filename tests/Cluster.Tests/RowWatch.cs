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

    /// <summary>The longest time without the row of a step, in seconds: what comes after the last one does not count.</summary>
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
            long now = LengthOf(path);
            if (now > length && HasStep(path, length))
            {
                Volatile.Write(ref _longest, Math.Max(_longest, Stopwatch.GetElapsedTime(last).TotalSeconds));
                last = Stopwatch.GetTimestamp();
            }

            length = now;
        }
    }

    /// <summary>Whether what follows in the file tells of a step: an evaluation is told when the record knows of it.</summary>
    private static bool HasStep(string path, long start)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = start;
        using var text = new StreamReader(file);
        return text.ReadToEnd().Contains(",train,", StringComparison.Ordinal);
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
