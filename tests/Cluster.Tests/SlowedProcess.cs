using System.Diagnostics;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Halts a process (SIGSTOP) for three times as long as it has run before, again and again until it is disposed: it takes four times as long for
/// whatever it does, on a busy machine, too. The pauses are too short for anybody to take it for dead.
/// </summary>
internal sealed class SlowedProcess : IDisposable
{
    private const int TimesHalted = 3;
    private static readonly TimeSpan LeastUsed = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestRun = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _thread;

    public SlowedProcess(int process)
    {
        _thread = new Thread(() =>
        {
            using var slowed = Process.GetProcessById(process);
            while (!_end.IsCancellationRequested)
            {
                TimeSpan ran = Run(slowed);
                ClientProcess.Send(process, ClientProcess.SigStop);
                Thread.Sleep(TimesHalted * ran);
                ClientProcess.Send(process, ClientProcess.SigCont);
            }
        });
        _thread.Start();
    }

    public void Dispose()
    {
        _end.Cancel();
        _thread.Join();
        _end.Dispose();
    }

    /// <summary>Waits until the process, to which others may leave little of the processor, has got some of it.</summary>
    private TimeSpan Run(Process process)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan used = Used();
        do
        {
            _end.Token.WaitHandle.WaitOne(Look);
        }
        while (Used() - used < LeastUsed && Stopwatch.GetElapsedTime(start) < LongestRun && !_end.IsCancellationRequested);
        return Stopwatch.GetElapsedTime(start);

        TimeSpan Used()
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }
}
