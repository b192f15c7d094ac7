using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Writes the run folder of a detached job on the silo that writes its checkpoints; the key is that of the job's
/// <see cref="ICheckpointGrain"/>. It follows the job as a client does, and adds nothing to it.
/// </summary>
[Alias("ConvNet.IRunWriterGrain")]
public interface IRunWriterGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates the run folder, or opens that of the checkpoint to go on from, and writes what the job tells until the job ends. From
    /// then on a failure to write ends the job through <see cref="IJobControlGrain.FailedAsync"/>. May be repeated.
    /// </summary>
    /// <param name="step">The step at which the job goes on; rows past it are cut.</param>
    /// <param name="firstEvent">The number of the job's first event that is to be written.</param>
    /// <param name="earlier">Who has written the folder for this job before.</param>
    /// <exception cref="Engine.Errors.ConvNetException">
    /// The folder is not empty or somebody else writes there (exit code 6), or it cannot be written (3 or 7).
    /// </exception>
    [Alias("Open"), ResponseTimeout("00:01:00")]
    Task OpenAsync(string jobId, JobSubmission submission, long step, long firstEvent, EarlierWriter earlier);

    /// <summary>Another grain is to write from now on: this one has written what it has read, and lets go of the folder. May be repeated.</summary>
    [Alias("Close"), AlwaysInterleave, ResponseTimeout("00:00:08")]
    Task CloseAsync();
}
