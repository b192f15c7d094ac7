using ConvNet.Engine.Errors;

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

    /// <summary>For how long the witness is believed.</summary>
    private static readonly TimeSpan WitnessPeriod = TimeSpan.FromSeconds(2);

    /// <summary>So often in a row the witness must see nobody: a silo that takes much over has much to do.</summary>
    private const int MostDenials = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>A call that took longer than its time-out was held up here: this process was suspended, and nobody else was silent.</summary>
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(4);

    private TimeSpan _silence;
    private DateTimeOffset? _since;
    private TimeSpan _vouched;
    private int _denials;

    /// <summary>Tells whether any silo of the cluster answers; null: nobody is asked.</summary>
    public Func<Task<bool>>? Witness { get; init; }

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
                (_silence, _since, _vouched, _denials) = (TimeSpan.Zero, null, TimeSpan.Zero, 0);
                return answer;
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e) || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                _since ??= asked;
                Count(start);
                if (_silence >= (patience ?? (e is TimeoutException ? SilentPatience : RefusedPatience)) && !await MayBeTakenOverAsync(e, cancellation))
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
    private async Task<bool> MayBeTakenOverAsync(Exception e, CancellationToken cancellation)
    {
        if (Witness is null || e is NotKeptException || _silence >= HandOverPatience)
        {
            return false;
        }

        if (_silence < _vouched)
        {
            return true;
        }

        TimeSpan silence = _silence;
        long start = clock.GetTimestamp();
        bool isAnswered = await Witness().WaitAsync(cancellation);
        Count(start);
        if (!isAnswered)
        {
            return ++_denials < MostDenials;
        }

        if (_vouched == TimeSpan.Zero)
        {
            double left = (HandOverPatience - silence).TotalSeconds;
            Tell?.Invoke(
                FormattableString.Invariant($"{who()} has not answered for {silence.TotalSeconds:F0} s ({GrainFailure.Contact(e)}), but a silo of ") +
                FormattableString.Invariant($"its cluster does; waiting {left:F0} s more, in case it takes the job over."));
        }

        (_vouched, _denials) = (_silence + WitnessPeriod, 0);
        return true;
    }

    private void Count(long start)
    {
        TimeSpan took = clock.GetElapsedTime(start);
        _silence += took < LongestCall ? took : LongestCall;
    }

    private ConvNetException Silent(Exception e) => e is NotKeptException
        ? new ConvNetException(ExitCode.Environment, $"{who()} {e.Message.TrimEnd('.')}.", e)
        : new ConvNetException(
            ExitCode.Environment,
            FormattableString.Invariant($"{who()} has not answered for {_silence.TotalSeconds:F0} s, since {_since:HH:mm:ss} ({GrainFailure.Contact(e)}); ") +
            "check that the silos of the cluster run and can be reached.",
            e);
}
