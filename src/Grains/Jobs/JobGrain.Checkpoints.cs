using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain finds a place for checkpoints.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Without a further byte of a checkpoint that the client has to send.</summary>
    private const double UploadPatience = 30;

    private CheckpointPlace? _checkpoints;

    private CheckpointPlace Checkpoints => _checkpoints!;

    /// <summary>
    /// The submission as its run writer takes it: a checkpoint that was sent is not in the run folder, and whatever is under that name on the silo is another
    /// run.
    /// </summary>
    private JobSubmission SubmissionHere => Checkpoints.Checkpoint == Submission.Checkpoint ? Submission : Submission with { Checkpoint = null };

    /// <summary>Finds the place, and waits until a checkpoint to go on from is there.</summary>
    /// <exception cref="ConvNetException">There is no place (exit code 3 or 7), or the client does not send its checkpoint (4).</exception>
    private async Task<CheckpointPlace> PrepareCheckpointsAsync(string writer)
    {
        ICheckpointStoreGrain store = GrainFactory.GetGrain<ICheckpointStoreGrain>(writer);
        CheckpointPlace place = await store.PrepareAsync(Submission);
        for (double heard = _clock.Now; place.AwaitsUpload;)
        {
            _checkpoints = place;
            Machine.Wait($"its client sends the checkpoint to go on from to silo '{place.Silo}', which does not see {Submission.Checkpoint}.");
            await Task.Delay(WatchPeriod);
            if (Machine.HasEnded)
            {
                throw new OperationCanceledException("The job has ended while it waited for its checkpoint.");
            }

            CheckpointPlace next = await store.PrepareAsync(Submission);
            heard = next.Received == place.Received ? heard : _clock.Now;
            place = next;
            if (_clock.Now - heard > UploadPatience)
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    FormattableString.Invariant($"the client has sent no more of its checkpoint for {_clock.Now - heard:F0} s ") +
                    $"({place.Received} bytes are there); resume the run again.");
            }
        }

        return _checkpoints = place;
    }
}
