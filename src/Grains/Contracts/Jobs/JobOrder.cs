namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>An order to a job that has been submitted. The same order told again is acknowledged and not carried out again.</summary>
/// <param name="OrderId">Unique within the job; made by whoever gives the order.</param>
/// <param name="Step">For <see cref="JobOrderKind.StopAfter"/>: the completed steps.</param>
/// <param name="Client">Who gives it, if it is the client that holds the job's lease.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobOrder")]
public sealed record JobOrder(
    [property: Id(0)] string OrderId,
    [property: Id(1)] JobOrderKind Kind,
    [property: Id(2)] long Step = 0,
    [property: Id(3)] string? Client = null)
{
    public static JobOrder Of(JobOrderKind kind, long step = 0, string? client = null) => new(Guid.NewGuid().ToString("N"), kind, step, client);
}
