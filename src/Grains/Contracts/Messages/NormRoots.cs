namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Says exactly which sums of a batch norm a message holds: a worker's, one for each root of its plan, in the plan's order.</summary>
/// <param name="Norm">Index of the batch norm among the model's, in forward order.</param>
/// <param name="Forward">True for moments, false for backward sums.</param>
/// <param name="Roots">How many.</param>
/// <param name="Wait">False: the worker needs no total (ghost batch norm, or a worker that has the whole batch).</param>
[GenerateSerializer, Immutable, Alias("ConvNet.NormRoots")]
public readonly record struct NormRoots(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] int Norm,
    [property: Id(2)] bool Forward,
    [property: Id(3)] int Roots,
    [property: Id(4)] bool Wait);
