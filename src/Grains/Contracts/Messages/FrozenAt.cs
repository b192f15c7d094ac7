namespace ConvNet.Grains.Contracts.Messages;

/// <summary>
/// How a server answers a freeze: where it stands, and stays until the next generation begins.
/// </summary>
/// <param name="Answer">
/// Accepted, also when asked again; stale if a newer generation is promised or this one has begun already; rejected if the server holds no
/// state of the job, which then counts as lost.
/// </param>
/// <param name="Version">
/// Steps that the server has applied, of the coordinator: decided. <see cref="Stateless"/> if no step changes it, −1 unless accepted.
/// </param>
/// <param name="Last">The decision that led to this version, which the coordinator may not know if it is not the one that has made it; or null.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.FrozenAt")]
public readonly record struct FrozenAt(
    [property: Id(0)] Answer Answer, [property: Id(1)] long Version, [property: Id(2)] StepDecision? Last = null)
{
    /// <summary>In place of a version: the job's model gives this server nothing to keep, so that it can go on from any step.</summary>
    public const long Stateless = long.MaxValue;

    /// <summary>The answer of a server that does not freeze.</summary>
    public static FrozenAt Not(Answer answer) => new(answer, -1);
}
