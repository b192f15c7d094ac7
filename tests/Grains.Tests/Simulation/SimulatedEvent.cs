namespace ConvNet.Grains.Tests.Simulation;

/// <summary>A message that a script can wait for or lose. Servers: partitions by number, then batch norm, then the coordinator.</summary>
internal abstract record SimulatedEvent(long Generation)
{
    /// <summary>A worker's push has reached a partition.</summary>
    internal sealed record Pushed(int Worker, int Partition, long Step, long Generation) : SimulatedEvent(Generation);

    internal sealed record Committed(int Server, long Step, long Generation) : SimulatedEvent(Generation);

    internal sealed record Frozen(int Server, long Generation) : SimulatedEvent(Generation);

    internal sealed record Begun(int Server, long Generation) : SimulatedEvent(Generation);

    /// <summary>A worker has taken the assignment of a generation, or an order of it.</summary>
    internal sealed record Prepared(string Worker, long Generation) : SimulatedEvent(Generation);

    /// <param name="UntilStep">−1: to evaluate.</param>
    internal sealed record Ordered(string Worker, long UntilStep, long Generation) : SimulatedEvent(Generation);

    /// <summary>The coordinator has told the job how many steps are committed.</summary>
    internal sealed record Told(long Step, long Generation) : SimulatedEvent(Generation);

    /// <summary>The sums of a worker's blocks have reached the job.</summary>
    internal sealed record Evaluated(int Worker, int FirstBlock, long Generation) : SimulatedEvent(Generation);

    /// <summary>The checkpoint writer has read a part of a server's state.</summary>
    internal sealed record Read(int Server, long Generation) : SimulatedEvent(Generation);
}
