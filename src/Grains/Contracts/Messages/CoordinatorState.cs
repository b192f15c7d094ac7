namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What the coordinator must remember across a resume.</summary>
/// <param name="Step">Steps decided.</param>
/// <param name="Updates">Steps applied: those that were not skipped.</param>
/// <param name="SkipsInARow">Since the last applied step.</param>
public sealed record CoordinatorState(long Step, long Updates, int SkipsInARow, EpochTotals Epoch)
{
    public static CoordinatorState Initial => new(0, 0, 0, new EpochTotals(0, 0, 0, 0));
}
