using System.Collections.Concurrent;

namespace ConvNet.Silo.Security;

/// <summary>
/// The bytes of messages that have begun and not ended, over all connections. Orleans keeps what has come of a message until the rest is there: a
/// peer that announces much and sends half of it holds memory for as long as it likes, and many peers hold more.
/// </summary>
internal sealed class PendingMessages : IDisposable
{
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<PendingMessage, bool> _open = [];
    private readonly WireLimits _limits;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private long _bytes;

    public PendingMessages(WireLimits limits, TimeProvider clock)
    {
        (_limits, _clock) = (limits, clock);
        _timer = clock.CreateTimer(_ => EndLate(), null, Watch, Watch);
    }

    /// <summary>A connection that has begun.</summary>
    /// <param name="end">Closes it, for a reason.</param>
    public PendingMessage Open(Action<string> end)
    {
        var message = new PendingMessage(end);
        _open[message] = true;
        return message;
    }

    /// <summary>A connection that has ended.</summary>
    public void Close(PendingMessage message)
    {
        _open.TryRemove(message, out _);
        Interlocked.Add(ref _bytes, message.Drop());
    }

    /// <summary>How much of a message is there that has not ended; called whenever some has come.</summary>
    /// <param name="isNew">Whether a message before it has ended.</param>
    public void Report(PendingMessage message, long bytes, bool isNew)
    {
        long sum = Interlocked.Add(ref _bytes, message.Hold(bytes, isNew, _clock.GetTimestamp()));
        if (sum > _limits.PendingBytes)
        {
            EndOldest(sum);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void EndOldest(long sum)
    {
        PendingMessage? oldest = _open.Keys.Where(message => message.Bytes > 0).MinBy(message => message.Since);
        if (oldest is not null)
        {
            long bytes = oldest.Bytes;
            Interlocked.Add(ref _bytes, oldest.Drop());
            oldest.End(
                $"its message of which {bytes} bytes have come is the oldest of those that have not ended, and they hold {sum} bytes together, more than " +
                $"the {_limits.PendingBytes} allowed");
        }
    }

    private void EndLate()
    {
        long now = _clock.GetTimestamp();
        foreach (PendingMessage message in _open.Keys.Where(message => message.Bytes > 0 && _clock.GetElapsedTime(message.Since, now) > _limits.MessageTime))
        {
            message.End($"a message has not ended within {_limits.MessageTime.TotalSeconds:F0} s; {message.Bytes} bytes of it have come");
        }
    }
}
