using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Processes;

/// <summary>
/// Ctrl-C, SIGTERM and SIGHUP (a terminal that closes): the first one asks the run to finish its step and to save a checkpoint.
/// A second Ctrl-C or SIGTERM ends the process. SIGHUP never does: kernel, shell and service manager may each send one for the same end.
/// </summary>
public sealed class StopSignal : IDisposable
{
    /// <summary>Who asks twice wants to leave, even if nobody reads the output that the last words wait for.</summary>
    private static readonly TimeSpan LeavingPatience = TimeSpan.FromSeconds(2);

    private readonly PosixSignalRegistration[] _registrations;
    private readonly CancellationTokenSource _requested = new();
    private readonly Action<string> _tell;
    private readonly Action<ExitCode>? _leaving;
    private int _departures;
    private int _isRequested;

    /// <param name="tell">Shows a sentence to the person who pressed Ctrl-C.</param>
    /// <param name="leaving">Called before the second request ends the process.</param>
    public StopSignal(Action<string> tell, Action<ExitCode>? leaving = null)
    {
        _tell = tell;
        _leaving = leaving;
        Asked = Task.Delay(Timeout.Infinite, Token);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Handle(signal, ExitCode.Interrupted)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Handle(signal, ExitCode.Terminated)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Handle(signal, ExitCode.HungUp)),
        ];
    }

    /// <summary>What the process must end with, or null while nobody asked it to stop.</summary>
    public ExitCode? Requested { get; private set; }

    /// <summary>Cancelled by the first request.</summary>
    public CancellationToken Token => _requested.Token;

    /// <summary>Ends with the first request.</summary>
    public Task Asked { get; }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _requested.Dispose();
    }

    /// <summary>Asks for an end, as a signal does; a second request that is no hang-up ends the process.</summary>
    public void Request(ExitCode code)
    {
        if (code != ExitCode.HungUp && Interlocked.Increment(ref _departures) > 1)
        {
            Task.WaitAny([Task.Run(() => _leaving?.Invoke(code))], LeavingPatience);
            Environment.Exit((int)code);
        }

        if (Interlocked.Exchange(ref _isRequested, 1) != 0)
        {
            return;
        }

        Requested = code;
        _tell("Finishing the step and saving a checkpoint. Ctrl-C again leaves at once, without one.");
        _requested.Cancel();
    }

    private void Handle(PosixSignalContext signal, ExitCode code)
    {
        signal.Cancel = true;
        Request(code);
    }
}
