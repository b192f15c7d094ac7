using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain finds a place for checkpoints.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Without a further byte of a checkpoint that the client has to send.</summary>
    private const double UploadPatience = 30;

    private CheckpointPlace? _checkpoints;

    private CheckpointPlace Checkpoints => _checkpoints!;

    /// <summary>The checkpoint from which the job goes on when it gets a place, as the silo sees it that writes them; or null.</summary>
    private string? CheckpointPath => Machine.Checkpoint?.Path ?? Checkpoints.Checkpoint;

    /// <summary>
    /// The submission as its run writer takes it: a checkpoint that was sent is not in the run folder, and whatever is under that name on the silo is another
    /// run.
    /// </summary>
    private JobSubmission SubmissionHere => Submission with
    {
        Checkpoint = Machine.Checkpoint is null && Checkpoints.Checkpoint != Submission.Checkpoint && Checkpoints.Folder != Submission.RunFolder
            ? null
            : CheckpointPath,
    };

    /// <summary>A job that goes back to a checkpoint that is damaged by now goes back to the one before it, with a warning.</summary>
    /// <exception cref="ConvNetException">None that is whole is left (exit code 3).</exception>
    private async Task PassOverDamagedAsync(string writer)
    {
        if (!Machine.HasBegun || CheckpointPath is not { } path)
        {
            return;
        }

        ICheckpointGrain reader = GrainFactory.GetGrain<ICheckpointGrain>(writer);
        try
        {
            await reader.OpenAsync(path, Submission.JobJson);
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
        {
            WholeCheckpoint whole = await reader.FindWholeAsync(Checkpoints.Folder, Submission.JobJson);
            Machine.PassOver(whole, whole.Warnings.FirstOrDefault() ?? e.Message);
        }
    }

    /// <summary>
    /// Finds the place, and waits until a checkpoint to go on from is there. One that is found stays, as long as the same silo writes for a client with the
    /// same folder.
    /// </summary>
    /// <exception cref="ConvNetException">There is no place (exit code 3 or 7), or the silo does not see where the job goes on (4).</exception>
    /// <exception cref="OperationCanceledException">The job wants no place any more.</exception>
    private async Task PrepareCheckpointsAsync(string writer)
    {
        // The store is asked each time: it is what has a silo that was started again keep the folder. What is there needs no upload.
        CheckpointPlace? known = _checkpoints is { AwaitsUpload: false } place && place.Writer == writer ? place : null;
        JobSubmission submission = Submission;
        if ((Machine.Checkpoint?.Path ?? known?.Checkpoint) is { } saved)
        {
            submission = submission with { Checkpoint = saved, CheckpointSha256 = null };
        }

        ICheckpointStoreGrain store = GrainFactory.GetGrain<ICheckpointStoreGrain>(writer);
        CheckpointPlace found = await store.PrepareAsync(submission);
        for (double heard = _clock.Now; found.AwaitsUpload;)
        {
            _checkpoints = found;
            Machine.Wait($"its client sends the checkpoint to go on from to silo '{found.Silo}', which does not see {Submission.Checkpoint}.", position: null);
            await Task.Delay(WatchPeriod);
            if (!Machine.WantsPlace)
            {
                throw new OperationCanceledException("The job has ended, or is paused, while it waited for its checkpoint.");
            }

            CheckpointPlace next = await store.PrepareAsync(submission);
            heard = next.Received == found.Received ? heard : _clock.Now;
            found = next;
            if (_clock.Now - heard > UploadPatience)
            {
                Machine.Fail(new JobFailure(
                    (int)ExitCode.Environment,
                    FormattableString.Invariant($"the client has sent no more of its checkpoint for {_clock.Now - heard:F0} s ") +
                    $"({found.Received} bytes are there); resume the run again."));
                throw new OperationCanceledException("The client does not send its checkpoint.");
            }
        }

        if (_checkpoints != found)
        {
            _checkpoints = found;
            NoteChange();
        }
    }

    /// <summary>Where the next checkpoint is saved: another silo may write than before, if that was lost.</summary>
    /// <exception cref="ConvNetException">There is no place (exit code 3 or 7).</exception>
    private async Task<CheckpointPlace> PlaceToSaveAsync(string writer) => Checkpoints.Writer == writer ? Checkpoints
        : await GrainFactory.GetGrain<ICheckpointStoreGrain>(writer).PrepareAsync(Submission with
        {
            // A job that goes back before it has saved there asks for its first checkpoint.
            SubmissionId = Guid.NewGuid().ToString("N"),
            Checkpoint = null,
            CheckpointSha256 = null,
        });
}
