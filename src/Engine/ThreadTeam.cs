using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ConvNet.Engine;

/// <summary>
/// A fixed number of compute threads of our own: the caller of <see cref="Run"/> and size − 1 helpers. Items are picked up by a
/// shared counter; the work is cut by geometry alone, so the number of threads never changes a result.
/// </summary>
public sealed partial class ThreadTeam : IDisposable
{
    private const int SpinsBeforePark = 200;
    private const int NiceValue = 5;

    private readonly Thread[] _helpers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ManualResetEventSlim _done = new(false, SpinsBeforePark);
    private Action<int, int> _body = null!;
    private int _items;
    private int _next;
    private int _running;
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

        int helpers = Math.Min(_helpers.Length, items - 1);
        _body = body;
        _items = items;
        _next = 0;
        _failure = null;
        _done.Reset();
        Volatile.Write(ref _running, helpers);
        _wake.Release(helpers);
        Work(0);
        _done.Wait();
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

    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _wake.Release(Math.Max(1, _helpers.Length));
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _wake.Dispose();
        _done.Dispose();
    }

    /// <summary>setpriority(PRIO_PROCESS, 0, …) acts on the calling thread on Linux.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);

    private void Help(int thread)
    {
        YieldToServiceThreads();
        while (true)
        {
            _wake.Wait();
            if (_stopping)
            {
                return;
            }

            Work(thread);
            if (Interlocked.Decrement(ref _running) == 0)
            {
                _done.Set();
            }
        }
    }

    private void Work(int thread)
    {
        try
        {
            int item;
            while ((item = Interlocked.Increment(ref _next) - 1) < _items)
            {
                _body(item, thread);
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            Volatile.Write(ref _next, _items);
        }
    }
}
