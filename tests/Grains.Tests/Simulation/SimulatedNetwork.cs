using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// One thread, a queue of events in time order, and calls whose requests and answers are delayed, reordered, duplicated and
/// dropped. A caller sends again until it has a final answer, as the real ones do after a time-out.
/// </summary>
internal sealed class SimulatedNetwork(SplitMix random, NetworkFaults faults, Script script, BranchCounts counts)
{
    private const int MostEvents = 500_000;

    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private long _now;
    private long _count;
    private int _hosts;
    private ulong? _cut;

    /// <summary>Seconds; a tick is a millisecond.</summary>
    public double Seconds => _now / 1000.0;

    /// <summary>Takes what happens, line by line; or null.</summary>
    public Action<string>? Log { get; set; }

    /// <summary>Something happens.</summary>
    public void Tell(Func<string> what) => Log?.Invoke(FormattableString.Invariant($"{Seconds:F3} {what()}"));

    public Host NewHost() => new(_hosts++);

    public void After(int ticks, Action action) => _events.Enqueue(action, (_now + ticks, _count++));

    /// <summary>A timer of a process, which does not go off while that is frozen.</summary>
    public void After(Host host, int ticks, Action action) => After(ticks, () => host.Do(action));

    /// <summary>Every process is on one of two sides for some time, and nothing that is sent meanwhile comes from one to the other.</summary>
    public void Cut(int ticks)
    {
        ulong cut = SplitMix.Hash(_now, _count, random.Below(int.MaxValue));
        _cut = cut;
        After(ticks, () => _cut = _cut == cut ? null : _cut);
    }

    public bool AreCutOff(Host one, Host other) => _cut is { } cut && (SideOf(one, cut) != SideOf(other, cut));

    /// <param name="handler">Runs at the receiver, perhaps more than once.</param>
    /// <param name="isFinal">False for answers that mean "ask again".</param>
    /// <param name="message">What a script may want to lose or to wait for, or null.</param>
    public Task<T> CallAsync<T>(Life caller, Host host, Func<T> handler, Func<T, bool> isFinal, SimulatedEvent? message = null) =>
        CallAsync(caller, () => (host, handler), isFinal, message);

    /// <param name="route">Whom to call, each time anew.</param>
    public Task<T> CallAsync<T>(Life caller, Func<(Host Host, Func<T> Handler)> route, Func<T, bool> isFinal, SimulatedEvent? message = null)
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

            (Host host, Func<T> handler) = route();
            int copies = script.Loses(message) ? 0 : random.Chance(faults.Duplicate) ? 2 : 1;
            counts.Add("fault: a message arrives twice", copies / 2);
            for (int copy = 0; copy < copies; copy++)
            {
                Send(caller.Host, host, () =>
                {
                    T reply = handler();
                    script.Happens(message);
                    Tell(() => $"{message?.ToString() ?? "call"} of {caller.Host.Number} at {host.Number}: {Spoken(reply)}");
                    Send(host, caller.Host, () =>
                    {
                        if (!caller.IsOver && isFinal(reply))
                        {
                            answer.TrySetResult(reply);
                        }
                    });
                });
            }

            After(caller.Host, 2 + faults.LongestDelay + random.Below(2 * faults.LongestDelay), Attempt);
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

    private void Send(Host from, Host to, Action delivery)
    {
        if (random.Chance(faults.Drop))
        {
            counts.Add("fault: a message is lost", 1);
        }
        else if (AreCutOff(from, to))
        {
            counts.Add("fault: a message does not cross a cut", 1);
        }
        else
        {
            After(to, 1 + random.Below(faults.LongestDelay), delivery);
        }
    }

    private static string? Spoken<T>(T reply) => reply switch
    {
        Answer answer => $"{answer.Verdict} {answer.Reason}",
        BlockAnswer block => $"{block.Verdict}",
        FrozenAt frozen => $"{frozen.Answer.Verdict} {frozen.Answer.Reason} {frozen.Version}",
        _ => reply?.ToString(),
    };

    private static bool SideOf(Host host, ulong cut) => (SplitMix.Mix(cut + (ulong)host.Number) & 1) == 1;
}
