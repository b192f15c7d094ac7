namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// Which silos of a job have not answered for too long, sooner than the membership tells. Pure; times are seconds of any clock that does not go back.
/// </summary>
internal sealed class SiloPulses
{
    /// <summary>Several calls in a row: a silo that collects garbage or swaps for less is not lost.</summary>
    public const double Patience = 3;

    private readonly Dictionary<string, Pulse> _pulses = [];

    /// <summary>These silos are watched from now on, and no others.</summary>
    public void Watch(IReadOnlyCollection<string> silos, double now)
    {
        foreach (string silo in _pulses.Keys.Except(silos).ToList())
        {
            _pulses.Remove(silo);
        }

        foreach (string silo in silos)
        {
            _pulses.TryAdd(silo, new Pulse(now, null, false));
        }
    }

    /// <summary>A silo has answered, or something that runs there has said something.</summary>
    public void Heard(string silo, double now)
    {
        if (_pulses.ContainsKey(silo))
        {
            _pulses[silo] = new Pulse(now, null, false);
        }
    }

    /// <summary>
    /// A silo could not be called. That a connection breaks may be the network's fault, so that it takes a second call, made after that was known.
    /// </summary>
    /// <param name="called">When this call was made.</param>
    public void Refused(string silo, double called, double now)
    {
        if (_pulses.TryGetValue(silo, out Pulse? pulse))
        {
            _pulses[silo] = pulse with { RefusedAt = pulse.RefusedAt ?? now, IsRefused = pulse.IsRefused || called >= pulse.RefusedAt };
        }
    }

    /// <summary>The silos that count as lost.</summary>
    /// <returns>With a clause that follows the name of the silo, or of what is there.</returns>
    public IEnumerable<(string Silo, string Reason)> Lost(double now)
    {
        foreach ((string silo, Pulse pulse) in _pulses)
        {
            double silence = now - pulse.HeardAt;
            if (pulse.IsRefused)
            {
                yield return (silo, FormattableString.Invariant($"cannot be connected any more, and has not answered for {silence:F1} s"));
            }
            else if (silence > Patience)
            {
                yield return (silo, FormattableString.Invariant($"has not answered for {silence:F1} s"));
            }
        }
    }

    /// <param name="RefusedAt">Since the last answer, for the first time.</param>
    private sealed record Pulse(double HeardAt, double? RefusedAt, bool IsRefused);
}
