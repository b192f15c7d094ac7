namespace ConvNet.Grains.Tests.Simulation;

/// <summary>A caller that may die: from then on it neither sends again nor hears an answer. What it has sent stays on its way.</summary>
/// <param name="host">Where it runs.</param>
internal sealed class Life(Host host)
{
    public Host Host => host;

    public bool IsOver { get; private set; }

    public void End() => IsOver = true;
}
