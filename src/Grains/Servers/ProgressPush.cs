using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Servers;

/// <summary>
/// Tells the job grain of committed steps: at most four times a second, or at once when somebody waits for it. One message is in flight, and
/// what is not acknowledged is part of the next one.
/// </summary>
/// <param name="tell">Sends until there is an answer; null if there never was one.</param>
internal sealed class ProgressPush(StepHistory history, Func<StepProgress, Task<Answer?>> tell)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly VersionSignal _hurry = new();
    private bool _isRunning;
    private bool _isUrgent;

    public void Soon() => RunAsync().Ignore();

    /// <summary>Also if there is nothing new.</summary>
    public void Now()
    {
        _isUrgent = true;
        _hurry.Raise();
        RunAsync().Ignore();
    }

    private async Task RunAsync()
    {
        if (_isRunning)
        {
            return;
        }

        _isRunning = true;
        try
        {
            while (_isUrgent || history.HasNews)
            {
                _isUrgent = false;
                StepProgress progress = history.Unacknowledged();
                if (await tell(progress) is { IsAcknowledged: true })
                {
                    history.Acknowledge(progress);
                }
                else if (!_isUrgent)
                {
                    // Its generation is over there: the next one begins with what is left.
                    return;
                }

                if (!_isUrgent)
                {
                    await _hurry.WaitAsync(Period);
                }
            }
        }
        finally
        {
            _isRunning = false;
        }
    }
}
