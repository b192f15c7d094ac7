namespace ConvNet.Cluster.Tests;

/// <summary>Whom a fault hits.</summary>
internal enum FaultVictim
{
    /// <summary>One of three silos with workers.</summary>
    Worker,

    /// <summary>The silo with the job grain, and nothing else of the job.</summary>
    Leader,

    /// <summary>The silo with all partitions, batch norms and the coordinator, and no worker; their standbys are elsewhere.</summary>
    Server,

    /// <summary>The same for a job without standbys, which has to go back to a checkpoint.</summary>
    LoneServer,

    /// <summary>The client whose job it is.</summary>
    Client,

    /// <summary>A console that watches a detached job.</summary>
    Console,

    Redis,

    /// <summary>One of three silos with all roles: workers, servers, standbys, and perhaps the job grain.</summary>
    Silo,

    /// <summary>Two of those at once.</summary>
    TwoSilos,

    /// <summary>All silos with all roles, the console and Redis at once; they are started again, and the run is resumed.</summary>
    Everything,

    /// <summary>Redis, and then one of the worker silos.</summary>
    RedisAndWorker,
}
