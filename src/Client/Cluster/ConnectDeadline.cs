namespace ConvNet.Client.Cluster;

/// <summary>
/// How long a client tries to get in. A silo that answers meanwhile, if only to say which port that is, gives it more time: it or this machine has much
/// to do.
/// </summary>
internal static class ConnectDeadline
{
    public static readonly TimeSpan Round = TimeSpan.FromSeconds(20), Longest = TimeSpan.FromSeconds(180);

    /// <summary>Waits until the client is in, or cannot get in; or until nobody answers at the end of a round, or the longest time is over.</summary>
    /// <param name="isAnswered">Asks the silos.</param>
    /// <returns>False if the client is still on its way, and should give up.</returns>
    public static async Task<bool> WaitAsync(Task entering, Func<Task<bool>> isAnswered, TimeProvider clock, CancellationToken cancellation)
    {
        long start = clock.GetTimestamp();
        while (await Task.WhenAny(entering, Task.Delay(Round, clock, cancellation)) != entering)
        {
            if (clock.GetElapsedTime(start) >= Longest || !await isAnswered())
            {
                return false;
            }
        }

        return true;
    }
}
