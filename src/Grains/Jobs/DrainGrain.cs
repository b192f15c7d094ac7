using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;
using Microsoft.Extensions.Logging;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// Tells the other silos and all jobs that its silo is being emptied. It goes on doing so, as jobs and silos may come that have not heard of it.
/// </summary>
[PinnedPlacement, KeepAlive]
internal sealed partial class DrainGrain(SiloCatalog catalog, ClusterHead head, ILocalSiloDetails self, ILogger<DrainGrain> logger) : Grain, IDrainGrain
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly SortedSet<string> _left = new(StringComparer.Ordinal);
    private SiloState _state = SiloState.Active;
    private IGrainTimer? _timer;
    private Task<DrainReport>? _round;

    public Task<DrainReport> EmptyAsync(bool stops)
    {
        if (!stops && _state == SiloState.Active && WhyNot(self.Name, catalog.Silos(), self.SiloAddress.Endpoint.Equals(head.Primary)) is { } refusal)
        {
            throw refusal;
        }

        if (stops)
        {
            _state = SiloState.Stopping;
        }
        else if (_state == SiloState.Active)
        {
            _state = SiloState.Draining;
        }

        _timer ??= this.RegisterGrainTimer(TellAgainAsync, new GrainTimerCreationOptions(Period, Period) { Interleave = true, KeepAlive = true });
        return TellAsync();
    }

    public Task NoteAsync(string address, SiloState state)
    {
        catalog.Note(SiloAddress.FromParsableString(address), state);
        return Task.CompletedTask;
    }

    /// <summary>Why a silo cannot be drained and stay, or null if it can.</summary>
    /// <param name="active">The silos that are not being emptied.</param>
    internal static ConvNetException? WhyNot(string silo, IReadOnlyList<SiloOffer> active, bool isPrimary) =>
        isPrimary
            ? ConvNetException.BadInput(
                $"silo '{silo}' is the primary of a dev:// cluster, which keeps the jobs and cannot be without it: pause the jobs ('convnet job pause ID') " +
                "before it is stopped, or use a redis:// cluster, where any silo may be drained.")
        : active.Any(other => other.Name == silo && other.Servers) && !active.Any(other => other.Name != silo && other.Servers)
            ? new ConvNetException(
                ExitCode.Environment,
                $"silo '{silo}' is the last one that takes servers of jobs (role 'server'): nobody could take over from it. " +
                "Start another one with --roles worker,server, and drain this one then.")
        : null;

    /// <summary>One round at a time: who asks meanwhile hears what that has found.</summary>
    private Task<DrainReport> TellAsync() => _round is { IsCompleted: false } round ? round : _round = RoundAsync();

    /// <summary>What goes wrong in a round is told to those who ask; the next one tries again.</summary>
    private async Task TellAgainAsync(CancellationToken cancellation) =>
        await ((Task)TellAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    private async Task<DrainReport> RoundAsync()
    {
        SiloState state = _state;
        await TellSilosAsync(state);
        bool stops = state == SiloState.Stopping;
        IJobDirectoryGrain directory = GrainFactory.GetGrain<IJobDirectoryGrain>(0);
        await directory.LeaveSiloAsync(self.Name);
        string[] jobs = await directory.ListAsync();
        (string Job, string? Wait, Exception? Failure)[] answers = await Task.WhenAll(jobs.Select(job => LeaveAsync(job, stops)));
        if (stops && answers.Length > 0 && Array.TrueForAll(answers, answer => answer.Failure is not null))
        {
            throw GrainFailure.From(answers[0].Failure!);
        }

        _left.UnionWith(answers.Where(answer => answer is { Wait: not null, Failure: null }).Select(answer => answer.Job));
        string[] waits = [.. answers.Select(answer => answer.Wait).OfType<string>()];
        if (_state is SiloState.Draining or SiloState.Drained)
        {
            _state = waits.Length == 0 ? SiloState.Drained : SiloState.Draining;
        }

        if (_state != state)
        {
            LogState(logger, self.Name, _state.ToString().ToLowerInvariant());
            await TellSilosAsync(_state);
        }

        return new DrainReport([.. _left.Except(answers.Where(answer => answer.Wait is not null).Select(answer => answer.Job))], waits);
    }

    /// <summary>Before the jobs are told: whatever leaves is to be placed elsewhere. A silo that does not answer hears of it in the next round.</summary>
    private async Task TellSilosAsync(SiloState state)
    {
        catalog.Note(self.SiloAddress, state);
        await Task.WhenAll(catalog.All().Where(other => other.Name != self.Name).Select(async other =>
        {
            try
            {
                await GrainFactory.GetGrain<IDrainGrain>(PinnedKey.Drain(other.Name)).NoteAsync(self.SiloAddress.ToParsableString(), state);
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                LogSilent(logger, self.Name, other.Name, e.Message);
            }
        }));
    }

    /// <summary>A job that does not answer is one to wait for: others must not be left because of it.</summary>
    private async Task<(string Job, string? Wait, Exception? Failure)> LeaveAsync(string job, bool stops)
    {
        try
        {
            return (job, await GrainFactory.GetGrain<IJobControlGrain>(job).LeaveSiloAsync(self.Name, self.SiloAddress.ToParsableString(), stops), null);
        }
        catch (Exception e)
        {
            return (job, $"job '{job}', which does not answer", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is {State}")]
    private static partial void LogState(ILogger logger, string silo, string state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} is being emptied, of which silo {Other} has not heard: {Message}")]
    private static partial void LogSilent(ILogger logger, string silo, string other, string message);
}
