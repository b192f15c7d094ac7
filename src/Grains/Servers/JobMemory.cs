namespace ConvNet.Grains.Servers;

/// <summary>
/// Gives the memory of jobs that are over back to the operating system: a silo that has nothing to do would otherwise keep hundreds of megabytes
/// of garbage until somebody else needs them.
/// </summary>
internal sealed class JobMemory
{
    /// <summary>The servers of a job are freed one after the other, and another job may be about to begin.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private int _held;

    /// <summary>A server of this silo holds a job's state.</summary>
    public void Hold() => Interlocked.Increment(ref _held);

    /// <summary>It does not any more.</summary>
    public void Free()
    {
        if (Interlocked.Decrement(ref _held) == 0)
        {
            Task.Delay(Pause).ContinueWith(_ => Collect(), TaskScheduler.Default);
        }
    }

    private void Collect()
    {
        if (Volatile.Read(ref _held) == 0)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
