namespace ConvNet.Grains.Contracts.Messages;

/// <param name="Forward">True for moments, false for backward sums.</param>
/// <param name="Wait">False: the worker needs no answer (ghost batch norm).</param>
[GenerateSerializer, Immutable, Alias("ConvNet.BatchNormHeader")]
public readonly record struct BatchNormHeader(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Worker,
    [property: Id(3)] int Norm,
    [property: Id(4)] bool Forward,
    [property: Id(5)] bool Wait)
{
    public MessageHeader ToMessageHeader() => new(Generation, Step, Worker, (int)Generation);
}
