using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Calls;

/// <summary>
/// Calls to a grain of a cluster whose silos may be going: one that is refused or gets no answer is made again, perhaps through another
/// gateway, until the grain has been silent for too long. That is longer as long as the cluster answers through any other silo.
/// </summary>
/// <param name="who">Who is asked, for the error.</param>
/// <param name="patience">For how long the grain may be silent; null: 6 s if calls are refused, 15 s if they time out.</param>
public sealed class ClusterContact(Func<string> who, TimeProvider clock, TimeSpan? patience = null)
{
    private static readonly TimeSpan RefusedPatience = TimeSpan.FromSeconds(6);

    /// <summary>A cluster needs up to 10 s until another silo leads what a frozen one has led, and the call that hears of it one time-out more.</summary>
    private static readonly TimeSpan SilentPatience = TimeSpan.FromSeconds(15);

    /// <summary>
    /// With a cluster that answers. A silo that has lost several others at once must suspect each of them more than once before it may take their grains:
    /// one that was left of three needed up to 25 s.
    /// </summary>
    private static readonly TimeSpan HandOverPatience = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan WitnessPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>A call that took longer than its time-out was held up here: this process was suspended, and nobody else was silent.</summary>
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(4);

    private TimeSpan _silence;
    private DateTimeOffset? _since;
    private bool _hasToldOfWaiting;

    /// <summary>Is asked whether the cluster is there when the grain is not; null: nobody.</summary>
    public IClusterGrain? Witness { get; init; }

    /// <summary>Is told once of each silence that lasts longer because the witness has answered.</summary>
    public Action<string>? Tell { get; init; }

    /// <param name="call">Has a response time-out.</param>
    /// <exception cref="ConvNetException">What the grain says itself; or nobody answers (exit code 4).</exception>
    public async Task<T> AskAsync<T>(Func<Task<T>> call, CancellationToken cancellation = default)
    {
        while (true)
        {
            long start = clock.GetTimestamp();
            DateTimeOffset asked = clock.GetLocalNow();
            try
            {
                T answer = await call().WaitAsync(cancellation);
                (_silence, _since, _hasToldOfWaiting) = (TimeSpan.Zero, null, false);
                return answer;
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e) || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                _since ??= asked;
                TimeSpan took = clock.GetElapsedTime(start);
                _silence += took < LongestCall ? took : LongestCall;
                if (_silence >= (patience ?? (e is TimeoutException ? SilentPatience : RefusedPatience)) && !await MayHandOverAsync(e))
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

    /// <returns>Whether other silos answer, which may take over what the silent one has held.</returns>
    private async Task<bool> MayHandOverAsync(Exception e)
    {
        if (Witness is null || e is NotKeptException || _silence >= HandOverPatience)
        {
            return false;
        }

        try
        {
            await new ClusterContact(() => "the cluster", clock, WitnessPatience).AskAsync(Witness.SilosAsync);
        }
        catch (ConvNetException)
        {
            return false;
        }

        if (!_hasToldOfWaiting)
        {
            _hasToldOfWaiting = true;
            Tell?.Invoke(FormattableString.Invariant(
                $"{who()} has not answered for {_silence.TotalSeconds:F0} s ({GrainFailure.Contact(e)}), but its cluster does; ") +
                FormattableString.Invariant($"waiting up to {HandOverPatience.TotalSeconds:F0} s until the silos that are left take over."));
        }

        return true;
    }

    private ConvNetException Silent(Exception e) => e is NotKeptException
        ? new ConvNetException(ExitCode.Environment, $"{who()} {e.Message.TrimEnd('.')}.", e)
        : new ConvNetException(
            ExitCode.Environment,
            FormattableString.Invariant($"{who()} has not answered for {_silence.TotalSeconds:F0} s, since {_since:HH:mm:ss} ({GrainFailure.Contact(e)}); ") +
            "check that the silos of the cluster run and can be reached.",
            e);
}
