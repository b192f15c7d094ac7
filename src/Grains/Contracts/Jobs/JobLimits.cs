using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a job may ask for, whoever describes it.</summary>
public static class JobLimits
{
    /// <summary>Samples of one step, over all workers.</summary>
    public const int MaxBatch = 1 << 20;

    public const int MaxDataShards = 1 << 12;

    public const int MinPartitions = 2;

    /// <summary>Why a job cannot have so many workers, or null if it can.</summary>
    public static string? ProblemOfWorkers(long workers, long dataShards) => workers >= 1 && workers <= dataShards
        ? null
        : $"{workers} workers cannot share {dataShards} data shards: each worker needs at least one. " +
          $"Use --workers {dataShards} or fewer, or raise --data-shards (that changes the result: the shards belong to the job).";

    /// <exception cref="ConvNetException">No workers, or more than data shards (exit code 3).</exception>
    public static void CheckWorkers(int workers, int dataShards)
    {
        if (ProblemOfWorkers(workers, dataShards) is { } problem)
        {
            throw ConvNetException.BadInput(problem);
        }
    }
}
