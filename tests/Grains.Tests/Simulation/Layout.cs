namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How a job is spread, and what goes wrong. Must never change the result.</summary>
/// <param name="Workers">At the start.</param>
/// <param name="Deaths">Workers that die, one of them right after a decision; one worker always survives.</param>
/// <param name="Joins">Changes of the worker set without a death.</param>
/// <param name="Conflicts">Messages sent twice with different bytes.</param>
internal sealed record Layout(int Workers, int Partitions, NetworkFaults Faults, int Deaths = 0, int Joins = 0, int Conflicts = 0);
