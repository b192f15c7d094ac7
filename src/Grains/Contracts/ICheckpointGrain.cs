using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Writes and reads a job's checkpoints on a silo that can reach their folder; the key is "{silo}/{job}". Tensors come from the
/// partitions in bounded chunks and never pass through the client.
/// </summary>
[Alias("ConvNet.ICheckpointGrain")]
public interface ICheckpointGrain : IGrainWithStringKey
{
    /// <summary>Verifies a checkpoint and says where it stands; fails if it is damaged or not this job's.</summary>
    [Alias("Open"), ResponseTimeout("00:03:00")]
    Task<JobPosition> OpenAsync(string path, string jobJson);

    /// <summary>The newest checkpoint of a run folder that verifies; fails if there is none, or it is not this job's.</summary>
    [Alias("FindWhole"), ResponseTimeout("00:03:00")]
    Task<WholeCheckpoint> FindWholeAsync(string runFolder, string jobJson);

    /// <summary>Hands the state of a checkpoint, verified again, to the servers, which have begun at its step. Repeated, it does no harm.</summary>
    [Alias("Restore"), ResponseTimeout("00:03:00")]
    Task RestoreAsync(string path, Assignment assignment);

    /// <summary>Copies the state of the servers, which are idle at <paramref name="position"/>: it is kept until it is written, or another one is.</summary>
    [Alias("Pin"), ResponseTimeout("00:03:00")]
    Task PinAsync(Assignment assignment, JobPosition position, FinalResult? result);

    /// <summary>
    /// Writes what is pinned to <paramref name="runFolder"/>/checkpoints, while the servers go on. It gets its name there only if the job still wants it then.
    /// </summary>
    /// <param name="step">Of the version that is pinned.</param>
    /// <param name="retention">Which older checkpoints stay there; null: nothing else in the folder is touched, as others may write there, too.</param>
    [Alias("Write"), ResponseTimeout("00:05:00")]
    Task<CheckpointResult> WriteAsync(string runFolder, long step, CheckpointRetention? retention);
}
