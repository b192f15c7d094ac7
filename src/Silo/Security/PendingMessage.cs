namespace ConvNet.Silo.Security;

/// <summary>What has come of the message that one connection is receiving.</summary>
/// <param name="end">Closes the connection, for a reason.</param>
internal sealed class PendingMessage(Action<string> end)
{
    private readonly Lock _lock = new();
    private bool _isDropped;

    public long Bytes { get; private set; }

    /// <summary>Timestamp of its beginning.</summary>
    public long Since { get; private set; }

    /// <returns>How many bytes more there are than before.</returns>
    public long Hold(long bytes, bool isNew, long now)
    {
        lock (_lock)
        {
            if (_isDropped)
            {
                return 0;
            }

            Since = isNew || Bytes == 0 ? now : Since;
            long more = bytes - Bytes;
            Bytes = bytes;
            return more;
        }
    }

    /// <summary>Counts it no more.</summary>
    /// <returns>The negative of its bytes.</returns>
    public long Drop()
    {
        lock (_lock)
        {
            long bytes = Bytes;
            (Bytes, _isDropped) = (0, true);
            return -bytes;
        }
    }

    public void End(string reason) => end(reason);
}
