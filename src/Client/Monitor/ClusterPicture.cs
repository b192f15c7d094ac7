using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Monitor;

/// <summary>What is known of a cluster at a moment. Nothing in it changes.</summary>
/// <param name="Jobs">The newest first; of those that do not answer, what they said last.</param>
/// <param name="Silent">Ids of jobs that do not answer.</param>
/// <param name="Paces">By job id and worker.</param>
/// <param name="OpenJob">The id of the job whose past is in <paramref name="Curves"/>; null: none.</param>
/// <param name="Trouble">Null while the cluster answers.</param>
/// <param name="IsBack">It answers again, since a few seconds.</param>
internal sealed record ClusterPicture(
    IReadOnlyList<JobStatus> Jobs,
    IReadOnlyList<string> Silent,
    IReadOnlyList<ClusterSilo> Silos,
    IReadOnlyDictionary<(string Job, string Worker), WorkerPace> Paces,
    string? OpenJob,
    JobCurves Curves,
    Trouble? Trouble,
    bool IsBack)
{
    public static ClusterPicture Empty { get; } =
        new([], [], [], new Dictionary<(string, string), WorkerPace>(), null, JobCurves.Empty, null, IsBack: false);

    /// <summary>Of all jobs, in the order in which they are shown.</summary>
    public IReadOnlyList<string> Ids => [.. Jobs.Select(job => job.JobId), .. Silent.Except(Jobs.Select(job => job.JobId))];

    /// <summary>What a job said last; null if it has not said anything yet, or the cluster does not know it.</summary>
    public JobStatus? Find(string id) => Jobs.FirstOrDefault(job => job.JobId == id);
}
