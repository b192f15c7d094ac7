namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What a test wants to go wrong, and when: <c>script.When&lt;Pushed&gt;(push => push.Step == 3).Then(() => cluster.Kill(1))</c>.</summary>
internal sealed class Script
{
    private readonly List<Func<SimulatedEvent, bool>> _losses = [];
    private readonly List<Rule> _rules = [];

    /// <summary>The first message for which <paramref name="condition"/> holds; what follows happens right after it has been handled.</summary>
    public Rule When<T>(Func<T, bool> condition)
        where T : SimulatedEvent
    {
        var rule = new Rule(happened => happened is T message && condition(message));
        _rules.Add(rule);
        return rule;
    }

    /// <summary>Messages for which <paramref name="condition"/> holds are lost, however often they are sent.</summary>
    public void Lose<T>(Func<T, bool> condition)
        where T : SimulatedEvent =>
        _losses.Add(sent => sent is T message && condition(message));

    public bool Loses(SimulatedEvent? sent) => sent is not null && _losses.Any(loses => loses(sent));

    /// <summary>A message has been handled at its receiver.</summary>
    public void Happens(SimulatedEvent? happened)
    {
        foreach (Rule rule in _rules.Where(rule => happened is not null && rule.Matches(happened)).ToArray())
        {
            _rules.Remove(rule);
            rule.Run();
        }
    }

    internal sealed class Rule(Func<SimulatedEvent, bool> condition)
    {
        private Action? _action;

        public bool Matches(SimulatedEvent happened) => condition(happened);

        public void Then(Action action) => _action = action;

        public void Run() => _action?.Invoke();
    }
}
