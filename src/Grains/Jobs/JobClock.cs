namespace ConvNet.Grains.Jobs;

/// <summary>
/// Seconds during which this grain could have heard somebody. When the process was suspended, or its turns were held up, that time does not
/// count: nobody is silent who could not be heard.
/// </summary>
internal sealed class JobClock
{
    private const double LongestPause = 1;

    private long _last = Environment.TickCount64;
    private double _seconds;

    /// <summary>Read at least a few times a second.</summary>
    public double Now
    {
        get
        {
            long now = Environment.TickCount64;
            _seconds += Math.Min((now - _last) / 1000.0, LongestPause);
            _last = now;
            return _seconds;
        }
    }
}
