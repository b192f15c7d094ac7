using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Workers;

/// <summary>What is on its way to the partitions in one step, and the end of it.</summary>
/// <param name="header">Of the worker's messages in the step.</param>
internal sealed class PushedStep(MessageHeader header)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is not acknowledged yet, and 1 while more may follow.</summary>
    private int _open = 1;

    public MessageHeader Header => header;

    /// <summary>Done when everything is acknowledged, or something failed.</summary>
    public Task End => _end.Task;

    public void Open() => Interlocked.Increment(ref _open);

    /// <summary>One of those that were opened is acknowledged; or, once, nothing more follows.</summary>
    public void Close()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _end.TrySetResult();
        }
    }

    /// <summary>Ends the wait at once, whatever else is on its way.</summary>
    public void Fail(Exception e) => _end.TrySetException(e);

    public void ThrowIfFailed()
    {
        if (_end.Task.IsFaulted)
        {
            _end.Task.GetAwaiter().GetResult();
        }
    }
}
