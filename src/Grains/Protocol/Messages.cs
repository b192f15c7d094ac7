using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Protocol;

/// <summary>What every message of a worker carries; the job is implied by the grain that it goes to.</summary>
/// <param name="Worker">Index in the generation's <see cref="Assignment.Workers"/>.</param>
public readonly record struct MessageHeader(long Generation, long Step, int Worker, int Incarnation);

/// <summary>What becomes of a message.</summary>
public enum Verdict
{
    /// <summary>New and valid; taken into account.</summary>
    Accepted,

    /// <summary>The same key and bytes as before: acknowledged, not added.</summary>
    Duplicate,

    /// <summary>The same key as before with other bytes: the sender is to be quarantined.</summary>
    Conflict,

    /// <summary>Of an older generation, incarnation or step; of no effect. The sender is out of date and should stop.</summary>
    Stale,

    /// <summary>
    /// Of the step that has just been committed here: the sender runs it again for the sake of others, or has missed the first
    /// answer. Of no effect, and none is needed.
    /// </summary>
    AlreadyApplied,

    /// <summary>Of a generation or step that has not begun here: send it again later.</summary>
    Future,

    /// <summary>Not a message that this sender may send: unknown chunk or tree node, wrong size.</summary>
    Rejected,
}

/// <param name="Reason">For <see cref="Verdict.Conflict"/> and <see cref="Verdict.Rejected"/>: one sentence that names the worker.</param>
public readonly record struct Answer(Verdict Verdict, string? Reason = null)
{
    /// <summary>True if the receiver has, or needs, nothing more of this message.</summary>
    public bool IsAcknowledged => Verdict is Verdict.Accepted or Verdict.Duplicate or Verdict.AlreadyApplied;

    public static implicit operator Answer(Verdict verdict) => new(verdict);
}

/// <summary>Where the first value that is not finite was seen.</summary>
/// <param name="What">The tensor, or the batch norm and direction.</param>
/// <param name="Worker">The worker that sent it, or null if only the sum over the shards is not finite.</param>
public sealed record NonFiniteSource(string What, string? Worker)
{
    public override string ToString() => Worker is null ? $"the sum over the data shards of {What}" : $"{What} from worker {Worker}";
}

/// <summary>A partition holds the whole of step t and has applied nothing yet.</summary>
/// <param name="SquareSums">Σg² of each owned block, in local order.</param>
/// <param name="WeightSquareSums">Σw² of each owned block, or empty if the optimizer does not need it.</param>
/// <param name="NonFinite">Null if all gradients are finite.</param>
public sealed record PartitionReport(
    long Generation,
    long Step,
    int Partition,
    double[] SquareSums,
    double[] WeightSquareSums,
    NonFiniteSource? NonFinite);

/// <summary>All batch-norm sums of step t are complete.</summary>
public sealed record BatchNormReport(long Generation, long Step, NonFiniteSource? NonFinite);

/// <summary>A worker has computed and pushed its part of a step; sent also by workers whose shards are empty in this step.</summary>
/// <param name="Roots">Loss and correct answers of each root of the worker's plan, in the plan's order.</param>
public sealed record WorkerReport(MessageHeader Header, Metrics[] Roots);

/// <summary>How a step ends: the same message for every partition and the batch-norm machine.</summary>
/// <param name="Settings">Null = skip: version t + 1 is version t.</param>
public sealed record StepDecision(long Generation, long Step, StepSettings? Settings)
{
    public bool IsSkip => Settings is null;
}
