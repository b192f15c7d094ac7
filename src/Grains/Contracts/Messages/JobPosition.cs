namespace ConvNet.Grains.Contracts.Messages;

/// <summary>How far a job is, and all that its coordinator must remember to go on from there.</summary>
/// <param name="Step">Steps decided, skipped ones included.</param>
/// <param name="Updates">Of those, applied: they moved the weights and the running statistics.</param>
/// <param name="SkipsInARow">Since the last applied step.</param>
/// <param name="Epoch">Of the epoch in progress, or of the whole last epoch right at its end.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobPosition")]
public sealed record JobPosition(
    [property: Id(0)] long Step,
    [property: Id(1)] long Updates,
    [property: Id(2)] int SkipsInARow,
    [property: Id(3)] EpochTotals Epoch)
{
    public static JobPosition Start { get; } = new(0, 0, 0, default);

    /// <summary>Steps that were left out because of non-finite gradients.</summary>
    public long SkippedSteps => Step - Updates;
}
