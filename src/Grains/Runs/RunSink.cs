using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>Where the events of a run go, such as a file or a screen. A sink takes the kinds that it shows and passes over the others.</summary>
public abstract class RunSink : IDisposable
{
    /// <summary>Takes one event. <see cref="RunStream"/> calls it for one event at a time, in their order.</summary>
    public abstract void Handle(RunEvent happened);

    /// <summary>False while events that this sink has taken would be lost with the process.</summary>
    public virtual bool IsWritten => true;

    /// <summary>What this sink has to say of itself, as a sentence, once; or null.</summary>
    public virtual string? TakeWarning() => null;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
