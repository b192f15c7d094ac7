namespace ConvNet.Cluster.Tests;

/// <summary>Whom a fault hits.</summary>
internal enum FaultVictim
{
    /// <summary>One of three silos with workers.</summary>
    Worker,

    /// <summary>The silo with the job grain, and nothing else of the job.</summary>
    Leader,

    /// <summary>The client whose job it is.</summary>
    Client,

    /// <summary>A console that watches a detached job.</summary>
    Console,

    Redis,

    /// <summary>One of three silos with all roles: workers, servers, standbys, and perhaps the job grain.</summary>
    Silo,

    /// <summary>Redis, and then one of the worker silos.</summary>
    RedisAndWorker,
}
