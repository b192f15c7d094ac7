namespace ConvNet.Cluster.Tests;

/// <summary>What was measured of one fault, in seconds; null: nobody had to notice, or the job was over before.</summary>
/// <param name="Noticed">As the job tells: since the last sign of life.</param>
/// <param name="GapTold">Without a step, as the job tells.</param>
/// <param name="GapSeen">
/// The longest time after the fault in which the run folder got no row, counted from the fault. Null for a client, who is not there to write any, and
/// for a job that was hit before its first.
/// </param>
/// <param name="Said">From the fault until the console told of it.</param>
/// <param name="Reason">That the job tells.</param>
/// <param name="IsInWrite">The fault came while a checkpoint was written.</param>
internal sealed record FaultFigures(FaultKind Kind, double? Noticed, double? GapTold, double? GapSeen, double? Said, string? Reason, bool IsInWrite)
{
    public string InWords => FormattableString.Invariant(
        $"{Kind.Name}: noticed {Noticed:F2} s, gap {GapTold:F2} s as told and {GapSeen:F2} s as seen, said after {Said:F2} s");
}
