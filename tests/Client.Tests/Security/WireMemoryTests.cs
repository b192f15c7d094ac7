using System.Buffers;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class WireMemoryTests : IDisposable
{
    private const long Free = (long)WireMemory.Spare * WireMemory.BlockBytes;
    private readonly WireMemory _memory;
    private int _collected;

    public WireMemoryTests() => _memory = new WireMemory(new StoppedClock(), () => _collected++);

    [Fact]
    public void Blocks_are_used_again_and_kept_while_they_are_needed_from_time_to_time()
    {
        for (int i = 0; i < 3; i++)
        {
            Use(WireMemory.WorthBytes);
            _memory.LetGo();
            Assert.Equal(WireMemory.WorthBytes, _memory.HeldBytes);
        }

        Assert.Equal(0, _collected);
    }

    [Fact]
    public void What_was_not_needed_lately_is_let_go_and_collected_once_when_no_more_follows()
    {
        Use(WireMemory.WorthBytes + Free);
        _memory.LetGo();
        _memory.LetGo();
        Assert.Equal((Free, 0), (_memory.HeldBytes, _collected));
        _memory.LetGo();
        _memory.LetGo();
        Assert.Equal((Free, 1), (_memory.HeldBytes, _collected));
    }

    [Fact]
    public void A_little_that_is_let_go_is_left_to_the_garbage_collector()
    {
        Use(WireMemory.WorthBytes / 2 + Free);
        for (int i = 0; i < 5; i++)
        {
            _memory.LetGo();
        }

        Assert.Equal((Free, 0), (_memory.HeldBytes, _collected));
    }

    [Fact]
    public void A_crowd_that_has_gone_is_collected_when_no_more_go()
    {
        for (int i = 0; i < WireMemory.WorthConnections; i++)
        {
            _memory.EndConnection();
        }

        _memory.LetGo();
        Assert.Equal(0, _collected);
        _memory.LetGo();
        _memory.LetGo();
        Assert.Equal(1, _collected);
    }

    public void Dispose() => _memory.Dispose();

    private void Use(long bytes)
    {
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, (int)(bytes / WireMemory.BlockBytes)).Select(_ => _memory.Rent())];
        Assert.All(blocks, block => Assert.Equal(WireMemory.BlockBytes, block.Memory.Length));
        Array.ForEach(blocks, block => block.Dispose());
    }

    /// <summary>No timer of its ever fires.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
