namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>All that a job grain needs to carry a job out.</summary>
/// <param name="SubmissionId">Made by whoever submits: the same submission may be told again, another one under the job's id is a conflict.</param>
/// <param name="JobJson">A <see cref="JobSpec"/> as JSON: all that decides the result.</param>
/// <param name="Checkpoint">Absolute path of the checkpoint folder to go on from, or null.</param>
/// <param name="RunFolder">Absolute path of the folder under which the job saves its checkpoints.</param>
/// <param name="Client">The client that holds the lease of the job; null: the job is detached, and needs none.</param>
/// <param name="Configuration">
/// The text of config.resolved.yaml, with which the job itself writes the run folder if it has no client; null: nobody does.
/// </param>
/// <param name="Options">The same as a JSON object of dotted keys.</param>
/// <param name="Probe">What the client has left in <paramref name="RunFolder"/> to be looked for; null: the folder is the silo's.</param>
/// <param name="CheckpointSha256">
/// The hash of the manifest of <paramref name="Checkpoint"/>: a silo that does not see that one is sent it. Null: the silo's own.
/// </param>
/// <param name="Priority">Of the jobs that wait for workers, the one with the highest goes first.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobSubmission")]
public sealed record JobSubmission(
    [property: Id(8)] string SubmissionId,
    [property: Id(0)] string JobJson,
    [property: Id(1)] JobLayout Layout,
    [property: Id(2)] TrainingPlan Plan,
    [property: Id(3)] string RunFolder,
    [property: Id(4)] string? Checkpoint = null,
    [property: Id(5)] string? Client = null,
    [property: Id(6)] string? Configuration = null,
    [property: Id(7)] string Options = "{}",
    [property: Id(20)] string? Probe = null,
    [property: Id(21)] string? CheckpointSha256 = null,
    [property: Id(9)] int Priority = 0);
