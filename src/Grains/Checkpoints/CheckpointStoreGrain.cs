using System.Security.Cryptography;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using Orleans.Placement;

namespace ConvNet.Grains.Checkpoints;

[PinnedPlacement, Immovable]
internal sealed class CheckpointStoreGrain(CheckpointCache cache) : Grain, ICheckpointStoreGrain
{
    private JobSubmission? _submission;
    private CheckpointPlace? _place;
    private CheckpointReceipt? _upload;
    private IGrainTimer? _watch;

    private string JobId => PinnedKey.JobOf(this.GetPrimaryKeyString());

    public async Task<CheckpointPlace> PrepareAsync(JobSubmission submission)
    {
        if (_place is null || _submission?.SubmissionId != submission.SubmissionId)
        {
            // A file system may be slow; it must not hold up a turn.
            _place = await Task.Run(() => Choose(submission));
            _submission = submission;
            Forget();
            if (_place.IsCache || _place.AwaitsUpload)
            {
                _watch ??= this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(cache.TouchPeriod, cache.TouchPeriod) { KeepAlive = true });
            }
        }

        return _place with { Received = _upload?.Received ?? 0 };
    }

    public async Task<byte[]?> ManifestAsync(long step)
    {
        string folder = await FolderAsync(step);
        return await Task.Run(() => CheckpointSource.Manifest(folder));
    }

    public async Task<byte[]?> ReadAsync(long step, string file, long offset)
    {
        string folder = await FolderAsync(step);
        return await Task.Run(() => CheckpointSource.Read(folder, file, offset));
    }

    public async Task OfferAsync(byte[] manifest)
    {
        JobSubmission submission = DemandUpload();
        string fingerprint = Convert.ToHexStringLower(SHA256.HashData(manifest));
        if (fingerprint != submission.CheckpointSha256)
        {
            throw ConvNetException.BadInput(
                $"job '{JobId}' goes on from the checkpoint whose manifest has SHA-256 {submission.CheckpointSha256}, but one with {fingerprint} was sent.");
        }

        Forget();
        string store = UploadStore(submission);
        _upload = await Task.Run(() => CheckpointReceipt.Begin(store, manifest, JobSpec.FromJson(submission.JobJson)));
    }

    public Task PutAsync(string file, long offset, byte[] bytes)
    {
        DemandUpload();
        CheckpointReceipt upload = DemandOffer();
        return Task.Run(() => upload.Append(file, offset, bytes));
    }

    public async Task AcceptAsync()
    {
        if (_place is { AwaitsUpload: false })
        {
            return;
        }

        DemandUpload();
        CheckpointReceipt upload = DemandOffer();
        CheckpointResult received = await Task.Run(upload.Complete);
        Forget();
        _place = _place! with { AwaitsUpload = false, Checkpoint = received.Path };
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Forget();
        return Task.CompletedTask;
    }

    private CheckpointPlace Choose(JobSubmission submission)
    {
        bool isCache = submission.Probe is { } probe && !FolderProbe.IsShared(submission.RunFolder, probe);
        bool awaitsUpload = submission is { Checkpoint: { } checkpoint, CheckpointSha256: { } expected } && !Has(checkpoint, expected);
        string cached = isCache || awaitsUpload ? cache.Open(submission.SubmissionId) : "";
        if (!awaitsUpload && submission.Checkpoint is { } needed && !Directory.Exists(needed))
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"silo '{PinnedKey.SiloOf(this.GetPrimaryKeyString())}' does not see {needed}, from where the job goes on; start the silo again that has " +
                "written it, or make the folder visible here.");
        }

        return new CheckpointPlace(
            this.GetPrimaryKeyString(),
            isCache ? cached : submission.RunFolder,
            isCache,
            awaitsUpload ? null : submission.Checkpoint,
            awaitsUpload);
    }

    private static bool Has(string checkpoint, string fingerprint)
    {
        try
        {
            return CheckpointSource.Fingerprint(checkpoint) == fingerprint;
        }
        catch (Exception e) when (FileFailure.Is(e) || e is ConvNetException)
        {
            return false;
        }
    }

    /// <summary>Of a checkpoint of this job. An activation that has forgotten where they are asks the job.</summary>
    private async Task<string> FolderAsync(long step)
    {
        if (step < 0)
        {
            throw ConvNetException.BadInput($"there is no step {step}.");
        }

        _place ??= (await GrainFactory.GetGrain<IJobGrain>(JobId).StatusAsync(new StatusQuery())).Checkpoints;
        return _place is { } place && place.Writer == this.GetPrimaryKeyString()
            ? Path.Combine(place.Folder, CheckpointStore.FolderName, CheckpointFolder.NameOf(step))
            : throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' keeps its checkpoints on another silo; ask it where they are, and try again.");
    }

    private string UploadStore(JobSubmission submission) => Path.Combine(cache.Open(submission.SubmissionId), CheckpointStore.FolderName);

    private JobSubmission DemandUpload() => _place is { AwaitsUpload: true } && _submission is { } submission
        ? submission
        : throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' does not wait for a checkpoint; nothing of it is taken.");

    private CheckpointReceipt DemandOffer() => _upload ?? throw new ConvNetException(
        ExitCode.Conflict, $"job '{JobId}' knows of no checkpoint that is being sent; begin again with its manifest.");

    private void Forget()
    {
        _upload?.Dispose();
        _upload = null;
    }

    /// <summary>Keeps the folder of a job that goes on, or waits, and deletes that of one that has ended when its time is over.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        string submission = _submission!.SubmissionId;
        bool isNeeded = await IsNeededAsync();
        bool isOver = await Task.Run(() =>
        {
            if (isNeeded)
            {
                cache.Touch(submission);
                return false;
            }

            return cache.IsOver(submission);
        });
        if (isOver)
        {
            _watch?.Dispose();
            _watch = null;
            DeactivateOnIdle();
        }
    }

    private async Task<bool> IsNeededAsync()
    {
        try
        {
            return await GrainFactory.GetGrain<IJobControlGrain>(JobId).NeedsCheckpointsAsync();
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e) || e is ConvNetException)
        {
            // Nobody deletes what a job needs that is only led elsewhere by now.
            return true;
        }
    }
}
