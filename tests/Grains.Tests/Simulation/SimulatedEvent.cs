namespace ConvNet.Grains.Tests.Simulation;

/// <summary>A message that a script can wait for or lose. Servers: partitions by number, then batch norm, then the coordinator.</summary>
internal abstract record SimulatedEvent(long Generation)
{
    /// <summary>A worker's push has reached a partition.</summary>
    internal sealed record Pushed(int Worker, int Partition, long Step, long Generation) : SimulatedEvent(Generation);

    internal sealed record Committed(int Server, long Step, long Generation) : SimulatedEvent(Generation);

    internal sealed record Frozen(int Server, long Generation) : SimulatedEvent(Generation);

    internal sealed record Begun(int Server, long Generation) : SimulatedEvent(Generation);
}
