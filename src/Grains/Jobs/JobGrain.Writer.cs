using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>Who writes the run folder of a job without a client: a grain beside its checkpoint writer, and another one when the silo of that is lost.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Until the next try, when the disk has no room for what another writer begins with.</summary>
    private const double WriterPause = 5;

    /// <summary>Without an address when it writes no longer.</summary>
    private (string Key, SiloAddress? Address)? _writer;
    private long _unwrittenEvent;
    private Task _movingWriter = Task.CompletedTask;
    private double _moveAgainAt;

    private bool WritesRun => Submission is { Client: null, Configuration: not null };

    private bool HasLostWriter => WritesRun && _writer is { } writer
        && (IsLost(PinnedKey.SiloOf(writer.Key)) || !Equals(writer.Address, catalog.AddressOf(PinnedKey.SiloOf(writer.Key))));

    /// <summary>The silo that should write checkpoints and the run folder in the job's next place: there they are; or null.</summary>
    private string? Home => WritesRun && _writer is { } writer && !HasLostWriter ? PinnedKey.SiloOf(writer.Key) : _checkpoints?.Silo;

    /// <summary>The job goes on without the silo that wrote its run folder, or has ended there: what is not written yet, another one writes.</summary>
    private void MoveWriter()
    {
        if (_movingWriter.IsCompleted && _clock.Now >= _moveAgainAt && HasLostWriter && Machine.State != JobState.Queued
            && Machine.Servers is { } servers && !IsGone(PinnedKey.SiloOf(servers.Checkpoint)))
        {
            _movingWriter = MoveWriterAsync(servers.Checkpoint);
        }
    }

    /// <summary>The run folder is written on a silo that is being emptied: that ends as soon as another silo can write it, or the job has no place.</summary>
    /// <returns>False if nothing is written there.</returns>
    private bool LeavesWriter(string silo)
    {
        if (_writer is not { Address: not null } writer || PinnedKey.SiloOf(writer.Key) != silo || HasLostWriter)
        {
            return false;
        }

        if (_movingWriter.IsCompleted)
        {
            _movingWriter = CloseWriterAsync(writer.Key);
        }

        return true;
    }

    private async Task CloseWriterAsync(string key)
    {
        try
        {
            await GrainFactory.GetGrain<IRunWriterGrain>(key).CloseAsync();
            _writer = (key, null);
            NoteChange();
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // The silo is gone, or asks again.
        }
    }

    private async Task MoveWriterAsync(string key)
    {
        try
        {
            // Rows were told of committed steps: none is taken back.
            await OpenWriterAsync(key, _job!.TotalSteps);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // The watch tries again.
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.Resources)
        {
            _moveAgainAt = _clock.Now + WriterPause;
            Machine.Warn($"nobody writes the run folder now: {e.Message.TrimEnd('.')}. The training goes on, and it is tried again; free some space.");
            CarryOut();
        }
        catch (Exception e)
        {
            Machine.Fail(GrainFailure.ToFailure(e, "the run folder"));
            CarryOut();
        }
    }

    /// <summary>One that writes the run folder already goes on, as long as its silo is there; else another one takes the folder over.</summary>
    private async Task OpenWriterAsync(string key, long step)
    {
        SiloAddress? address = catalog.AddressOf(PinnedKey.SiloOf(key));
        if (_writer is { } known && known.Key == key && Equals(known.Address, address))
        {
            return;
        }

        (long firstEvent, EarlierWriter earlier) = _clientHas is { } unknown ? (unknown, EarlierWriter.Client)
            : _writer is not null ? (_unwrittenEvent, EarlierWriter.LostSilo)
            : (Machine.Events.Next, EarlierWriter.None);
        await GrainFactory.GetGrain<IRunWriterGrain>(key).OpenAsync(JobId, SubmissionHere, step, firstEvent, earlier);
        (_writer, _unwrittenEvent, _clientHas) = ((key, address), firstEvent, null);
        NoteChange();
    }

    /// <returns>False if the client that was lost is not gone, but suspended, and holds the folder: the job waits on for somebody to take it up.</returns>
    private async Task<bool> TryOpenWriterAsync(string key, long step)
    {
        await _movingWriter;
        try
        {
            await OpenWriterAsync(key, step);
            return true;
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.Conflict && _clientHas is not null)
        {
            Machine.Orphan($"it cannot go on by itself: {e.Message.TrimEnd('.')}");
            return false;
        }
    }
}
