using ConvNet.Engine.Parameters;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>A block whose gradient is a piece of a batch norm's backward totals.</summary>
/// <param name="LocalBlock">Its number in the partition.</param>
/// <param name="Norm">Index of the batch norm in forward order.</param>
/// <param name="Role">Scale takes Σdy·x̂, shift takes Σdy.</param>
/// <param name="Channel">First channel of the block.</param>
public readonly record struct BatchNormBlock(int LocalBlock, int Norm, ParameterRole Role, int Channel, int Length);
