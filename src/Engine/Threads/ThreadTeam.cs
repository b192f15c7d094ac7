using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ConvNet.Engine.Threads;

/// <summary>
/// A fixed number of compute threads of our own: the caller of <see cref="Run"/> and size − 1 helpers. Items are picked up by a
/// shared counter; the work is cut by geometry alone, so the number of threads never changes a result.
/// </summary>
/// <remarks>
/// Threads that wait look at the counter for some microseconds before they sleep, because the next item usually comes sooner than
/// the kernel could wake them. The counter holds the items that are left, so a helper that comes late finds none and nobody waits
/// for it: a run is over when every item is done.
/// </remarks>
public sealed partial class ThreadTeam : IDisposable
{
    /// <summary>About 30 µs; the machine may be shared, so it stays short.</summary>
    private const int LooksBeforeSleep = 800;

    private const int NiceValue = 5;

    private readonly Thread[] _helpers;
    private readonly object _work = new();
    private readonly object _end = new();
    private Counters _counters;
    private Action<int, int> _body = null!;
    private int _items;
    private int _asleep;
    private bool _callerSleeps;
    private volatile bool _stopping;
    private ExceptionDispatchInfo? _failure;

    /// <param name="size">Threads, at least 1, the caller included.</param>
    public ThreadTeam(int size, string name = "convnet")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Size = size;
        _helpers = new Thread[size - 1];
        for (int i = 0; i < _helpers.Length; i++)
        {
            int thread = i + 1;
            _helpers[i] = new Thread(() => Help(thread)) { IsBackground = true, Name = $"{name}-{thread}" };
            _helpers[i].Start();
        }
    }

    public int Size { get; }

    /// <summary>
    /// Runs body(item, thread) for items 0 … items−1 and returns when all are done; thread is in 0 … Size−1 and picks scratch memory.
    /// </summary>
    public void Run(int items, Action<int, int> body)
    {
        if (Size == 1 || items == 1)
        {
            for (int item = 0; item < items; item++)
            {
                body(item, 0);
            }

            return;
        }

        if (items <= 0)
        {
            return;
        }

        _body = body;
        _items = items;
        _failure = null;
        Volatile.Write(ref _counters.Unfinished, items);
        Interlocked.Exchange(ref _counters.Left, items);
        if (Volatile.Read(ref _asleep) > 0)
        {
            lock (_work)
            {
                Monitor.PulseAll(_work);
            }
        }

        Work(0);
        AwaitEnd();
        _failure?.Throw();
    }

    /// <summary>
    /// Gives the calling thread a nice value, so that network and grain threads get the processor first when the cores are full.
    /// .NET's thread priorities do nothing on Linux.
    /// </summary>
    public static void YieldToServiceThreads()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(0, 0, NiceValue);
        }
    }

    /// <summary>Ends the helpers, and frees the scratch memory of theirs and of the calling thread, which should be the one that ran.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        lock (_work)
        {
            _stopping = true;
            Monitor.PulseAll(_work);
        }

        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        ThreadScratch.Release();
    }

    /// <summary>setpriority(PRIO_PROCESS, 0, …) acts on the calling thread on Linux.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);

    private void Help(int thread)
    {
        YieldToServiceThreads();
        ThreadScratch.Prepare();
        while (AwaitWork())
        {
            Work(thread);
        }

        ThreadScratch.Release();
    }

    /// <summary>True when items are left, false when the team ends.</summary>
    private bool AwaitWork()
    {
        for (int look = 0; look < LooksBeforeSleep; look++)
        {
            if (Volatile.Read(ref _counters.Left) > 0)
            {
                return true;
            }

            Thread.SpinWait(1);
        }

        lock (_work)
        {
            // Announced before the last look: Run sets the counter before it looks for sleepers, so one of both sees the other.
            Interlocked.Increment(ref _asleep);
            while (Volatile.Read(ref _counters.Left) <= 0 && !_stopping)
            {
                Monitor.Wait(_work);
            }

            Interlocked.Decrement(ref _asleep);
        }

        return !_stopping;
    }

    private void AwaitEnd()
    {
        for (int look = 0; look < LooksBeforeSleep; look++)
        {
            if (Volatile.Read(ref _counters.Unfinished) == 0)
            {
                return;
            }

            Thread.SpinWait(1);
        }

        lock (_end)
        {
            Volatile.Write(ref _callerSleeps, true);
            Interlocked.MemoryBarrier();
            while (Volatile.Read(ref _counters.Unfinished) != 0)
            {
                Monitor.Wait(_end);
            }

            Volatile.Write(ref _callerSleeps, false);
        }
    }

    private void Work(int thread)
    {
        int done = 0;
        try
        {
            int left;
            while ((left = Interlocked.Decrement(ref _counters.Left)) >= 0)
            {
                // While this item is unfinished the caller cannot begin another run, so both fields are this run's.
                done++;
                _body(_items - 1 - left, thread);
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);

            // Nobody shall begin what is left; it counts as done.
            done += Math.Max(0, Interlocked.Exchange(ref _counters.Left, 0));
        }

        if (done > 0 && Interlocked.Add(ref _counters.Unfinished, -done) == 0 && Volatile.Read(ref _callerSleeps))
        {
            lock (_end)
            {
                Monitor.Pulse(_end);
            }
        }
    }

    /// <summary>Each in a cache line of its own, away from the fields that are only read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Counters
    {
        /// <summary>Items that nobody has begun; below 0 when more threads looked than there were items.</summary>
        [FieldOffset(64)]
        public int Left;

        [FieldOffset(128)]
        public int Unfinished;
    }
}
