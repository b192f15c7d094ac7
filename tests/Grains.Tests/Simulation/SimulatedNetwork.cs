namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// One thread, a queue of events in time order, and calls whose requests and answers are delayed, reordered, duplicated and
/// dropped. A caller sends again until it has a final answer, as the real ones do after a time-out.
/// </summary>
internal sealed class SimulatedNetwork(SplitMix random, NetworkFaults faults, Script script)
{
    private const int MostEvents = 500_000;

    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private long _now;
    private long _count;

    /// <summary>Seconds; a tick is a millisecond.</summary>
    public double Seconds => _now / 1000.0;

    public void After(int ticks, Action action) => _events.Enqueue(action, (_now + ticks, _count++));

    /// <param name="handler">Runs at the receiver, perhaps more than once.</param>
    /// <param name="isFinal">False for answers that mean "ask again".</param>
    /// <param name="message">What a script may want to lose or to wait for, or null.</param>
    public Task<T> CallAsync<T>(Life caller, Func<T> handler, Func<T, bool> isFinal, SimulatedEvent? message = null)
    {
        // Continuations run inside the event that brings the answer: the order of everything follows from the seed.
        var answer = new TaskCompletionSource<T>();
        Attempt();
        return answer.Task;

        void Attempt()
        {
            if (answer.Task.IsCompleted || caller.IsOver)
            {
                return;
            }

            int copies = script.Loses(message) ? 0 : random.Chance(faults.Duplicate) ? 2 : 1;
            for (int copy = 0; copy < copies; copy++)
            {
                Send(() =>
                {
                    T reply = handler();
                    script.Happens(message);
                    Send(() =>
                    {
                        if (!caller.IsOver && isFinal(reply))
                        {
                            answer.TrySetResult(reply);
                        }
                    });
                });
            }

            After(2 + faults.LongestDelay + random.Below(2 * faults.LongestDelay), Attempt);
        }
    }

    /// <summary>Runs until nothing is on its way.</summary>
    /// <returns>False if there is no end to it, because somebody asks again for ever.</returns>
    public bool Drain()
    {
        while (_events.TryDequeue(out Action? action, out (long Time, long Number) key))
        {
            if (_count > MostEvents)
            {
                return false;
            }

            _now = key.Time;
            action();
        }

        return true;
    }

    private void Send(Action delivery)
    {
        if (!random.Chance(faults.Drop))
        {
            After(1 + random.Below(faults.LongestDelay), delivery);
        }
    }
}
