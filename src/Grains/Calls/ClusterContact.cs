using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Calls;

/// <summary>
/// Calls to a grain of a cluster whose silos may be going: one that is refused or gets no answer is made again, perhaps through another
/// gateway, until the grain has been silent for too long.
/// </summary>
/// <param name="who">Who is asked, for the error.</param>
public sealed partial class ClusterContact(Func<string> who, TimeProvider clock)
{
    private static readonly TimeSpan RefusedPatience = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan SilentPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>A call that took longer than its time-out was held up here: this process was suspended, and nobody else was silent.</summary>
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(4);

    private TimeSpan _silence;

    /// <param name="call">Has a response time-out.</param>
    /// <exception cref="ConvNetException">What the grain says itself; or nobody answers (exit code 4).</exception>
    public async Task<T> AskAsync<T>(Func<Task<T>> call, CancellationToken cancellation = default)
    {
        while (true)
        {
            long start = clock.GetTimestamp();
            try
            {
                T answer = await call().WaitAsync(cancellation);
                _silence = TimeSpan.Zero;
                return answer;
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                TimeSpan took = clock.GetElapsedTime(start);
                _silence += took < LongestCall ? took : LongestCall;
                if (_silence >= (e is TimeoutException ? SilentPatience : RefusedPatience))
                {
                    throw Silent(e);
                }
            }

            await Task.Delay(Pause, clock, cancellation);
            _silence += Pause;
        }
    }

    /// <summary>The same for a call without an answer.</summary>
    public Task AskAsync(Func<Task> call, CancellationToken cancellation = default) => AskAsync(
        async () =>
        {
            await call();
            return true;
        },
        cancellation);

    private ConvNetException Silent(Exception e) => new(
        ExitCode.Environment,
        FormattableString.Invariant($"{who()} has not answered for {_silence.TotalSeconds:F0} s ({CauseOf(e)}); ") +
        "check that the silos of the cluster run and can be reached.",
        e);

    private static string CauseOf(Exception e) => e switch
    {
        SiloGoneException => e.Message.TrimEnd('.'),
        TimeoutException => "calls time out",
        _ when Endpoint().Match(e.Message) is { Success: true } found => $"{found.Value} cannot be reached",
        _ => "no silo can be reached",
    };

    [GeneratedRegex(@"\d{1,3}(\.\d{1,3}){3}:\d{1,5}")]
    private static partial Regex Endpoint();
}
