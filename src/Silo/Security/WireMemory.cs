using System.Buffers;
using System.Collections.Concurrent;

namespace ConvNet.Silo.Security;

/// <summary>
/// The memory in which a silo's connections receive and send. The pool of Orleans keeps for good what a crowd or half-sent messages have once taken; this one
/// lets go of what was not needed lately. An idle silo makes no garbage and so collects none: when much has been let go, and no more is, it is given back to
/// the operating system.
/// </summary>
internal sealed class WireMemory : MemoryPool<byte>
{
    /// <summary>Blocks that stay although they were not needed lately.</summary>
    public const int Spare = 64;

    /// <summary>One is filled by a single receive: with 4 KiB, as Orleans has them, a piece of a gradient takes 64 system calls.</summary>
    public const int BlockBytes = 65536;

    /// <summary>What a collection is worth, which holds the silo up: bytes let go, or connections ended, each of which leaves some kilobytes.</summary>
    public const long WorthBytes = 32L << 20, WorthConnections = 1000;

    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Block> _free = [];
    private readonly Action _collect;
    private readonly ITimer _timer;
    private int _used;
    private int _most;
    private long _ended;
    private long _endedBefore;
    private long _bytes;

    /// <param name="collect">Gives garbage back to the operating system.</param>
    public WireMemory(TimeProvider clock, Action collect)
    {
        _collect = collect;
        _timer = clock.CreateTimer(_ => LetGo(), null, Period, Period);
    }

    public override int MaxBufferSize => BlockBytes;

    /// <summary>Of blocks in use and others.</summary>
    public long HeldBytes => (long)BlockBytes * (Volatile.Read(ref _used) + _free.Count);

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        int used = Interlocked.Increment(ref _used);
        for (int most = Volatile.Read(ref _most); used > most; most = Volatile.Read(ref _most))
        {
            Interlocked.CompareExchange(ref _most, used, most);
        }

        return _free.TryDequeue(out Block? block) ? block : new Block(this);
    }

    /// <summary>A connection is over.</summary>
    public void EndConnection() => Interlocked.Increment(ref _ended);

    /// <summary>Lets go of what was not needed since the last time; has the garbage collected when there is no more of it than then.</summary>
    internal void LetGo()
    {
        int needed = Interlocked.Exchange(ref _most, Volatile.Read(ref _used)) + Spare;
        long dropped = 0;
        while (Volatile.Read(ref _used) + _free.Count > needed && _free.TryDequeue(out _))
        {
            dropped += BlockBytes;
        }

        long ended = Volatile.Read(ref _ended);
        bool isCalm = dropped == 0 && ended == _endedBefore;
        _bytes += dropped;
        _endedBefore = ended;
        if (isCalm && (_bytes >= WorthBytes || ended >= WorthConnections))
        {
            _bytes = _endedBefore = 0;
            Interlocked.Add(ref _ended, -ended);
            _collect();
        }
    }

    protected override void Dispose(bool disposing) => _timer.Dispose();

    private void Return(Block block)
    {
        Interlocked.Decrement(ref _used);
        _free.Enqueue(block);
    }

    private sealed class Block(WireMemory pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes);

        public Memory<byte> Memory => _bytes;

        public void Dispose() => pool.Return(this);
    }
}
