using System.Globalization;

namespace ConvNet.Cluster.Tests;

/// <summary>One of the faults that a run under chaos meets.</summary>
/// <param name="Silo">Which one is hit, if <paramref name="Victim"/> is a silo.</param>
/// <param name="Pause">How long the victim is frozen or away; a silo that was killed or stopped is started again after it.</param>
/// <param name="StaysAway">It is started again only after the next fault.</param>
internal sealed record ChaosFault(FaultVictim Victim, FaultAction Action, string? Silo, TimeSpan Pause, bool StaysAway = false)
{
    /// <summary>A silo that was frozen for longer is declared dead, and ends when it wakes; nobody is frozen for about as long as that takes.</summary>
    private const double ShortestDeath = 8, LongestLapse = 3;

    private static readonly (FaultVictim Victim, FaultAction Action)[] Kinds =
    [
        (FaultVictim.Silo, FaultAction.Kill),
        (FaultVictim.Silo, FaultAction.Suspend),
        (FaultVictim.Silo, FaultAction.Terminate),
        (FaultVictim.Redis, FaultAction.Suspend),
        (FaultVictim.Redis, FaultAction.Restart),
        (FaultVictim.Console, FaultAction.Suspend),
    ];

    /// <summary>Whether the cluster gives the victim up.</summary>
    public bool IsFatal => Victim == FaultVictim.Silo && (Action != FaultAction.Suspend || Pause.TotalSeconds >= ShortestDeath);

    public string InWords => string.Create(
        CultureInfo.InvariantCulture, $"{Victim}-{Action}{(Silo is null ? "" : $" {Silo}")}, for {Pause.TotalSeconds:F1} s");

    /// <summary>
    /// Draws faults, of which every third is a kill -9. The first two are the kills of the others, so that the survivor has had all of the job once.
    /// </summary>
    /// <param name="survivor">The silo that nothing fatal hits.</param>
    /// <param name="hasLongOnes">Whether silos are frozen until they are declared dead, too.</param>
    public static ChaosFault[] Draw(Random random, int count, string survivor, bool hasLongOnes)
    {
        string[] others = [.. FaultFleet.Workers.Where(name => name != survivor)];
        var faults = new List<ChaosFault>
        {
            new(FaultVictim.Silo, FaultAction.Kill, others[0], TimeSpan.Zero, StaysAway: true),
            new(FaultVictim.Silo, FaultAction.Kill, others[1], TimeSpan.FromSeconds(LongestLapse)),
        };
        while (faults.Count < count)
        {
            (FaultVictim victim, FaultAction action) = faults.Count % 3 == 0 ? Kinds[0] : Kinds[random.Next(Kinds.Length)];
            string[] silos = action == FaultAction.Suspend ? FaultFleet.Workers : others;
            string? silo = victim == FaultVictim.Silo ? silos[random.Next(silos.Length)] : null;
            double lapse = 1 + (LongestLapse - 1) * random.NextDouble();
            bool isDeath = random.Next(2) == 0 && hasLongOnes && action == FaultAction.Suspend && silo is not null && silo != survivor;
            faults.Add(new ChaosFault(victim, action, silo, TimeSpan.FromSeconds(isDeath ? ShortestDeath - 1 + lapse : lapse)));
        }

        return [.. faults];
    }
}
