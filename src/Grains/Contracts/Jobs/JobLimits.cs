using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a job may ask for, whoever describes it.</summary>
public static class JobLimits
{
    /// <summary>Samples of one step, over all workers.</summary>
    public const int MaxBatch = 1 << 20;

    public const int MaxDataShards = 1 << 12;

    public const int UsualPartitions = 2, MostPartitions = 256;

    /// <summary>Compute threads of one worker.</summary>
    public const int MostThreads = 1024;

    /// <summary>Of a job, in both directions from 0.</summary>
    public const int MaxPriority = 1000;

    /// <summary>Why a job cannot have so many workers, or null if it can.</summary>
    public static string? ProblemOfWorkers(long workers, long dataShards) => workers >= 1 && workers <= dataShards
        ? null
        : $"{workers} workers cannot share {dataShards} data shards: each worker needs at least one. " +
          $"Use --workers {dataShards} or fewer, or raise --data-shards (that changes the result: the shards belong to the job).";

    /// <summary>Why a job cannot be called so (to stand after what it is), or null if it can: ids stand in the names of its parts, and in paths.</summary>
    public static string? ProblemOfId(string id) => PlainName.ProblemOf(id, 100) is { } problem ? $"{problem}." : null;

    /// <summary>Why a job cannot start with so few workers, or null if it can.</summary>
    public static string? ProblemOfMinWorkers(JobLayout layout) => layout.Least >= 1 && layout.Least <= layout.Workers
        ? null
        : $"the least number of workers, {layout.MinWorkers}, must be from 1 to the number of workers, {layout.Workers}; change --min-workers or --workers.";

    /// <summary>Why a job cannot be laid out so, or null if it can: memory is taken for each partition and thread.</summary>
    public static string? ProblemOfLayout(JobLayout layout) =>
        layout.Partitions is < 0 or > MostPartitions ? $"layout.partitions must be from 1 to {MostPartitions}; got {layout.Partitions}."
        : layout.Threads is < 0 or > MostThreads ? $"layout.threads must be from 1 to {MostThreads}; got {layout.Threads}."
        : null;

    /// <summary>Why a job cannot be so important, or null if it can.</summary>
    public static string? ProblemOfPriority(int priority) => Math.Abs((long)priority) <= MaxPriority
        ? null
        : $"priority {priority} must be from -{MaxPriority} to {MaxPriority}.";

    /// <exception cref="ConvNetException">No workers, or more than data shards (exit code 3).</exception>
    public static void CheckWorkers(int workers, int dataShards)
    {
        if (ProblemOfWorkers(workers, dataShards) is { } problem)
        {
            throw ConvNetException.BadInput(problem);
        }
    }
}
