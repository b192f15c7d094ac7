using System.Buffers;
using System.IO.Pipelines;

namespace ConvNet.Silo.Security;

/// <summary>What a connection receives, with an eye on how much of it waits for more.</summary>
/// <param name="report">Called after each reading with the bytes that stay and whether some before them were used.</param>
internal sealed class GuardedReader(PipeReader inner, Action<long, bool> report) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        Note(await inner.ReadAsync(cancellationToken).ConfigureAwait(false));

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
        {
            return false;
        }

        Note(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long kept = _buffer.Slice(consumed).Length;
        bool hasUsed = kept < _buffer.Length;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
        report(kept, hasUsed);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private ReadResult Note(ReadResult result)
    {
        _buffer = result.Buffer;
        return result;
    }
}
