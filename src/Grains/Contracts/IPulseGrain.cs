using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>Answers for a silo; the key is "{silo}/pulse".</summary>
[Alias("ConvNet.IPulseGrain")]
public interface IPulseGrain : IGrainWithStringKey
{
    /// <summary>Returns at once: that the silo is there is the answer.</summary>
    [Alias("Ping"), AlwaysInterleave, ResponseTimeout("00:00:01")]
    Task PingAsync();
}
