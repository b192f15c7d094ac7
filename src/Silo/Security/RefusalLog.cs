using System.Net;
using Microsoft.Extensions.Logging;

namespace ConvNet.Silo.Security;

/// <summary>Tells of refused peers: one line an address and minute, however often it comes.</summary>
internal sealed partial class RefusalLog(TimeProvider clock, ILogger<RefusalLog> logger)
{
    private const int MaxAddresses = 1024;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Told> _told = [];

    /// <param name="port">"silo port", "gateway" or "redis gateway".</param>
    /// <param name="reason">Half a sentence.</param>
    public void Tell(string port, EndPoint? peer, string reason)
    {
        IPAddress address = (peer as IPEndPoint)?.Address ?? IPAddress.None;
        int unsaid;
        lock (_lock)
        {
            long now = clock.GetTimestamp();
            if (!_told.ContainsKey(address) && _told.Count >= MaxAddresses)
            {
                Forget(now);
                address = _told.Count >= MaxAddresses ? IPAddress.None : address;
            }

            Told last = _told.GetValueOrDefault(address);
            if (last.IsKnown && clock.GetElapsedTime(last.At, now) < Interval)
            {
                _told[address] = last with { Unsaid = last.Unsaid + 1 };
                return;
            }

            unsaid = last.Unsaid;
            _told[address] = new Told(now, IsKnown: true, Unsaid: 0);
        }

        LogRefused(logger, port, peer, reason, unsaid);
    }

    private void Forget(long now)
    {
        foreach (IPAddress old in _told.Where(told => clock.GetElapsedTime(told.Value.At, now) >= Interval).Select(told => told.Key).ToList())
        {
            _told.Remove(old);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Port} refused {Peer}: {Reason}; {Unsaid} more from its address have not been told of")]
    private static partial void LogRefused(ILogger logger, string port, EndPoint? peer, string reason, int unsaid);

    private readonly record struct Told(long At, bool IsKnown, int Unsaid);
}
