namespace ConvNet.Grains.Contracts.Messages;

/// <summary>All batch-norm sums of step t are complete.</summary>
public sealed record BatchNormReport(long Generation, long Step, NonFiniteSource? NonFinite);
