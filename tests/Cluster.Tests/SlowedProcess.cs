namespace ConvNet.Cluster.Tests;

/// <summary>Halts a process for three quarters of the time, in pauses that are too short for anybody to take it for dead, until it is disposed.</summary>
internal sealed class SlowedProcess : IDisposable
{
    private static readonly TimeSpan Halted = TimeSpan.FromMilliseconds(75), Running = TimeSpan.FromMilliseconds(25);
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _thread;

    public SlowedProcess(int process)
    {
        _thread = new Thread(() =>
        {
            while (!_end.IsCancellationRequested)
            {
                ClientProcess.Send(process, ClientProcess.SigStop);
                Thread.Sleep(Halted);
                ClientProcess.Send(process, ClientProcess.SigCont);
                _end.Token.WaitHandle.WaitOne(Running);
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
}
