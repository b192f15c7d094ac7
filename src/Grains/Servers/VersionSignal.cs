namespace ConvNet.Grains.Servers;

/// <summary>Wakes the calls that wait inside a grain for something to change; they look again and answer.</summary>
internal sealed class VersionSignal
{
    /// <summary>Shorter than the calls' response time-out, so that the waiter gets an answer and asks again, and a deactivation is not held up.</summary>
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(3);

    private TaskCompletionSource _next = New();

    public Task WaitAsync() => WaitAsync(LongPoll);

    public async Task WaitAsync(TimeSpan longest)
    {
        try
        {
            await _next.Task.WaitAsync(longest);
        }
        catch (TimeoutException)
        {
            // "Not yet" is an answer.
        }
    }

    public void Raise()
    {
        TaskCompletionSource raised = _next;
        _next = New();
        raised.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
