using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// One training job; the key is its id. The client orchestrates: it submits, runs to a step, evaluates, saves, and reads the
/// status in between. Every call returns at once; work goes on behind it and shows in <see cref="StatusAsync"/>.
/// Failures of the work are in <see cref="JobStatus.Failure"/>; a call itself throws only if it makes no sense in this state.
/// </summary>
[Alias("ConvNet.IJobGrain")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates the job: checks that the silos, devices and data are there, starts workers and servers, and initializes the state
    /// from the seed, or from a verified checkpoint folder. The state is then <see cref="JobState.Idle"/> at that step.
    /// </summary>
    /// <param name="jobJson">A <c>JobSpec</c> as JSON: all that decides the result.</param>
    /// <param name="checkpoint">Absolute path of a checkpoint folder to go on from, or null.</param>
    /// <param name="runFolder">Where the job saves before it gives up because its client is gone; null: nowhere.</param>
    [Alias("Submit"), ResponseTimeout("00:05:00")]
    Task SubmitAsync(string jobJson, JobLayout layout, string? checkpoint, string? runFolder = null);

    /// <summary>Trains until <paramref name="untilStep"/> steps of the job are complete.</summary>
    [Alias("Run")]
    Task RunAsync(long untilStep);

    /// <summary>Evaluates the current version on all test images; the result is in <see cref="JobStatus.Evaluation"/>.</summary>
    [Alias("Evaluate")]
    Task EvaluateAsync();

    /// <summary>Writes the current version to <paramref name="runFolder"/>/checkpoints; the result is in <see cref="JobStatus.Checkpoint"/>.</summary>
    /// <param name="result">Final result to keep in the checkpoint, or null if the job is not finished.</param>
    /// <param name="retention">Which older checkpoints stay; null: nothing else in the folder is touched.</param>
    [Alias("Checkpoint")]
    Task CheckpointAsync(string runFolder, FinalResult? result, CheckpointRetention? retention = null);

    /// <summary>What the job is doing now. Cheap; meant to be polled a few times per second.</summary>
    [Alias("Status")]
    Task<JobStatus> StatusAsync();

    /// <summary>Ends the job in the given state and frees its workers and servers.</summary>
    [Alias("End")]
    Task EndAsync(JobState state);
}
