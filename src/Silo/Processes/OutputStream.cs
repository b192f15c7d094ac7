namespace ConvNet.Silo.Processes;

/// <summary>
/// A standard stream whose reader may leave: a terminal is closed, a pipe is broken. From then on writes do nothing, because a run whose
/// output nobody reads still has a checkpoint to save.
/// </summary>
/// <param name="inner">Disposed of with this.</param>
public sealed class OutputStream(Stream inner) : Stream
{
    /// <summary>How .NET reports that nobody is there any more: errno EIO, ENXIO, EBADF, EPIPE.</summary>
    private static readonly int[] NobodyThere = [5, 6, 9, 32];

    private bool _isLost;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => UnlessLost(inner.Flush);

    public override void Write(byte[] buffer, int offset, int count) => UnlessLost(() => inner.Write(buffer, offset, count));

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void UnlessLost(Action action)
    {
        if (_isLost)
        {
            return;
        }

        try
        {
            action();
        }
        catch (IOException e) when (NobodyThere.Contains(e.HResult))
        {
            _isLost = true;
        }
    }
}
