namespace ConvNet.Grains.Tests.Simulation;

/// <summary>A process of the simulated cluster. While it is frozen it neither hears nor sends; what has come to it waits until it wakes up.</summary>
/// <param name="number">Unlike that of every other one.</param>
internal sealed class Host(int number)
{
    private List<Action> _waiting = [];

    public int Number => number;

    public bool IsFrozen { get; private set; }

    public void Freeze() => IsFrozen = true;

    public void Wake()
    {
        IsFrozen = false;
        List<Action> waiting = _waiting;
        _waiting = [];
        waiting.ForEach(Do);
    }

    /// <summary>Something reaches this process, or its time has come there.</summary>
    public void Do(Action action)
    {
        if (IsFrozen)
        {
            _waiting.Add(action);
        }
        else
        {
            action();
        }
    }
}
