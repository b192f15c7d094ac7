namespace ConvNet.Grains.Contracts.Messages;

/// <summary>
/// Who does what in one generation of a job: the same message for every worker and every server, which find their own part in it
/// by their key.
/// </summary>
/// <param name="JobJson">A <c>JobSpec</c> as JSON.</param>
/// <param name="FirstStep">The step that this generation runs first; the version at which it goes on.</param>
/// <param name="Workers">In shard order. A message names its worker by the index here.</param>
/// <param name="Start">Where the servers have the state of the first step from.</param>
/// <param name="Missed">The last decision, if it was made by a coordinator that is lost, and the one in its place does not know it; else null.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.Assignment")]
public sealed record Assignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] string JobJson,
    [property: Id(2)] long Generation,
    [property: Id(3)] long FirstStep,
    [property: Id(4)] AssignedWorker[] Workers,
    [property: Id(5)] ServerKeys Servers,
    [property: Id(6)] AssignmentStart Start = AssignmentStart.Fresh,
    [property: Id(7)] StepDecision? Missed = null)
{
    /// <summary>What the job grain and the servers put on their messages about a step.</summary>
    public MessageHeader HeaderOf(long step) => new(JobId, Generation, step);

    /// <summary>What a worker puts on its messages about a step.</summary>
    public MessageHeader HeaderOf(long step, int worker) => new(JobId, Generation, step, worker, Workers[worker].Incarnation);
}
