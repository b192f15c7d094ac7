using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain keeps its job's record in the cluster's store, and goes on with a job that was led on another silo.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Name of the store in a silo's services, and of the record there.</summary>
    public const string Store = "jobs", Kept = "job";

    private static readonly TimeSpan StorePause = TimeSpan.FromMilliseconds(500);

    /// <summary>Less than a client waits for its answer.</summary>
    private static readonly TimeSpan CallerPatience = TimeSpan.FromSeconds(2);

    private readonly string _author = Guid.NewGuid().ToString("N");
    private long _keptRevision = -1;

    /// <summary>Of what is kept of a job besides its machine: workers, writer and place of checkpoints.</summary>
    private long _changes;

    /// <summary>Events before this number are in the store: no other grain tells something else under their numbers.</summary>
    private long _keptEvents;
    private Task? _keeping;
    private (DateTimeOffset Since, string Message)? _storeFailure;
    private bool _isSuperseded;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (record.RecordExists && record.State is { Submission: { } submission } kept)
        {
            await RecoverAsync(submission, kept);
        }
    }

    /// <summary>Grows whenever something has changed that is to be kept.</summary>
    private long RevisionOf(JobMachine machine) => machine.Revision + _changes;

    private bool IsKept(JobMachine machine) => _keptRevision >= RevisionOf(machine);

    /// <summary>What is kept besides the machine has changed; of a job that has ended, nothing does that matters.</summary>
    private void NoteChange() => _changes += _machine is { HasEnded: false } ? 1 : 0;

    /// <summary>
    /// Waits until what matters is in the store. While that does not answer, the job trains on; what would need a new generation waits.
    /// </summary>
    /// <exception cref="SiloGoneException">Another grain leads the job.</exception>
    private async Task KeepAsync()
    {
        while (_machine is { } machine && !IsKept(machine))
        {
            _keeping = _keeping is { IsCompleted: false } writing ? writing : WriteAsync(machine);
            await _keeping;
        }

        if (_isSuperseded)
        {
            throw new SiloGoneException($"job '{JobId}' is led by another silo than '{self.Name}' now.");
        }
    }

    private async Task WriteAsync(JobMachine machine)
    {
        long revision = RevisionOf(machine);
        record.State = Describe();
        try
        {
            await record.WriteStateAsync();
            (_keptRevision, _keptEvents) = (revision, record.State.Life.NextEvent);
            _storeFailure = null;
        }
        catch (InconsistentStateException)
        {
            await CompareAsync();
        }
        catch (Exception e)
        {
            await PauseAsync(e);
        }
    }

    private async Task PauseAsync(Exception thrown)
    {
        // Orleans wraps what the store says into a sentence about its own types.
        Exception e = thrown is OrleansException { InnerException: { } cause } ? cause : thrown;
        if (_storeFailure is null)
        {
            LogStore(logger, JobId, e.Message);
        }

        _storeFailure ??= (DateTimeOffset.UtcNow, GrainFailure.FirstLine(e.Message));
        await Task.Delay(StorePause);
    }

    /// <summary>Waits for the store as long as a caller can.</summary>
    /// <exception cref="NotKeptException">It does not answer: what was told is done later.</exception>
    private async Task KeepSoonAsync()
    {
        Task keeping = KeepAsync();
        if (await Task.WhenAny(keeping, Task.Delay(CallerPatience)) != keeping)
        {
            keeping.Ignore();
            throw new NotKeptException(
                $"has taken this, and does it once it is kept, but {StoreFailure() ?? "the cluster's store does not answer"}; look after the store.");
        }

        await keeping;
    }

    /// <summary>For people; null while the store answers, or nothing is to be kept.</summary>
    private string? WhyNotKept() => _machine is { } machine && !IsKept(machine) && StoreFailure() is { } failure
        ? $"cannot be kept: {failure}; it trains on, but takes on and replaces no worker, and does not end, before it is."
        : null;

    private string? StoreFailure() => _storeFailure is { } failure
        ? FormattableString.Invariant($"the cluster's store has kept nothing since {failure.Since:HH:mm:ss} UTC ({failure.Message})")
        : null;

    /// <summary>Somebody else has written the record, or it is gone; or the answer to a write of this grain was lost.</summary>
    private async Task CompareAsync()
    {
        try
        {
            await record.ReadStateAsync();
        }
        catch (Exception e)
        {
            await PauseAsync(e);
            return;
        }

        if (!record.RecordExists)
        {
            // Nothing is written any more: who led the job on from here would take up what the store does not know.
            (_keptRevision, _keptEvents) = (long.MaxValue, long.MaxValue);
            Machine.EndSaved("the job's record has vanished from the cluster's store, which has come back without its data");
            CarryOut();
        }
        else if (record.State.Author != _author)
        {
            LogSuperseded(logger, JobId, record.State.Silo);
            _isSuperseded = true;
            _watch?.Dispose();
            _machine = null;
            _submission = null;
            DeactivateOnIdle();
        }
    }

    private JobRecord Describe() => new()
    {
        Submission = Submission,
        Number = _number,
        Life = Machine.Record(),
        Checkpoints = _checkpoints,
        Held = [.. _held],
        Silos = [.. _silos.Select(silo => KeyValuePair.Create(silo.Key, silo.Value.ToParsableString()))],
        Writer = _writer is { } writer ? KeyValuePair.Create(writer.Key, writer.Address?.ToParsableString() ?? "") : null,
        UnwrittenEvent = _unwrittenEvent,
        Silo = self.Name,
        Author = _author,
    };

    /// <summary>The silo that led the job is gone, or has let go of it: this one leads it on, in a new generation.</summary>
    private async Task RecoverAsync(JobSubmission submission, JobRecord kept)
    {
        Adopt(submission, kept.Number);
        _checkpoints = kept.Checkpoints;
        _held.UnionWith(kept.Life.Releasing is null ? kept.Life.Members.Select(worker => worker.Name) : kept.Held);
        FreeAsync([.. kept.Held.Except(_held)], kept.Life.Generation).Ignore();
        foreach ((string name, string address) in kept.Silos)
        {
            _silos[name] = SiloAddress.FromParsableString(address);
        }

        if (kept.Writer is { } writer)
        {
            _writer = (writer.Key, writer.Value.Length == 0 ? null : SiloAddress.FromParsableString(writer.Value));
            _unwrittenEvent = kept.UnwrittenEvent;
        }

        string reason = WhyLedOn(self.Name, kept.Silo, isThere: IsStopping(kept.Silo));
        Machine.Recover(kept.Life, reason, _clock.Now);
        (_meteredEvents, _meteredLosses) = (Machine.Events.Next, Machine.LostWorkers);
        _clientHas = submission.Client is null ? null : Machine.Events.Next;
        LogRecovered(logger, JobId, reason, Machine.Generation, Machine.Step);
        if (!Machine.HasEnded)
        {
            await KeepAsync();
        }
        else if (kept.Life.Releasing is null)
        {
            // It is as it was: whoever only asks how it ended has nothing written.
            (_keptRevision, _keptEvents) = (RevisionOf(Machine), Machine.Events.Next);
        }

        CarryOut();
    }

    /// <summary>For people, without a full stop.</summary>
    /// <param name="silo">That leads the job from now on.</param>
    /// <param name="before">That has led it.</param>
    /// <param name="isThere">That one is being emptied, and has handed the job on.</param>
    internal static string WhyLedOn(string silo, string before, bool isThere) =>
        silo == before ? $"silo '{silo}', which leads the job, was started again"
        : $"the job is led by silo '{silo}' now, as silo '{before}' {(isThere ? "has handed it on" : "is gone")}";

    /// <summary>Workers that were reserved and did not come to work, or were to be let go.</summary>
    private async Task FreeAsync(string[] workers, long generation)
    {
        foreach (string worker in workers)
        {
            try
            {
                await Worker(worker).ReleaseAsync(new MessageHeader(JobId, generation, 0));
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                // It is gone, or finds out by itself.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The record of job {Job} cannot be kept now: {Message}")]
    private static partial void LogStore(ILogger logger, string job, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} is led by silo {Silo} now; this one lets go of it")]
    private static partial void LogSuperseded(ILogger logger, string job, string silo);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job}: {Reason}; generation {Generation}, step {Step} or later")]
    private static partial void LogRecovered(ILogger logger, string job, string reason, long generation, long step);
}
