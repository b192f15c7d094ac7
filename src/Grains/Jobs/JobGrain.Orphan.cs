using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain waits for its client, and what becomes of a job that has lost it.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Events before this number are known to the client, which has written them to its run folder; null if there was no client.</summary>
    private long? _clientHas;
    private double? _orphanedAt;

    public async Task<TakenUpJob> TakeUpAsync(JobTakeUp request)
    {
        // Told again because the answer was lost?
        if (request.Client != Submission.Client || Machine.IsOrphaned)
        {
            Machine.TakeUp();
            Adopt(request.Client, request.RunFolder, request.Probe);
        }

        var taken = new TakenUpJob(Submission, _clientHas ?? 0);
        await KeepAsync();
        CarryOut();
        return taken;
    }

    /// <summary>
    /// Nobody needs to be there for the job any more. It writes its run folder by itself: the one of its client if the silo that saves checkpoints sees that,
    /// else the silo's own one.
    /// </summary>
    private void GoOnAlone() => Adopt(client: null, _checkpoints is { IsCache: true } place ? place.Folder : Submission.RunFolder, probe: null);

    /// <param name="folder">Another one than before needs another place for checkpoints, unless the client fetches them from a cache.</param>
    private void Adopt(string? client, string folder, string? probe)
    {
        bool isSame = folder == Submission.RunFolder;
        _clientHas = isSame ? _clientHas ?? Machine.Events.Next : 0;
        _submission = Submission with
        {
            SubmissionId = isSame || _checkpoints is { IsCache: true } ? Submission.SubmissionId : Guid.NewGuid().ToString("N"),
            Client = client,
            RunFolder = folder,
            Probe = probe,
        };
        (Machine.RunFolder, Machine.IsDetached) = (folder, client is null);
        _clientSeen = _clock.Now;
    }

    /// <summary>Whether checkpoints are saved where the client of now wants them.</summary>
    private bool IsCurrent(CheckpointPlace place) => place.IsCache || place.Folder == Submission.RunFolder;

    /// <summary>A client that is silent has lost its job; a job that nobody takes up ends.</summary>
    private void WatchClient(double now)
    {
        // What keeps the job from its store may keep its client from the job.
        _clientSeen = _storeFailure is null ? _clientSeen : now;
        _orphanedAt = Machine.State != JobState.Orphaned ? null : _orphanedAt ?? now;
        if (_orphanedAt is { } since && now - since > deadlines.Orphan.TotalSeconds)
        {
            Machine.GiveUp(deadlines.Orphan.TotalMinutes);
        }
        else if (Submission.Client is not null && now - _clientSeen > deadlines.Lease.TotalSeconds)
        {
            Machine.LoseClient(now - _clientSeen);
        }
    }
}
