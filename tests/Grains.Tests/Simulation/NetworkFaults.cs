namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Chances in a thousand, and times in ticks.</summary>
internal sealed record NetworkFaults(int Drop, int Duplicate, int LongestDelay)
{
    public static readonly NetworkFaults None = new(0, 0, 1);
}
