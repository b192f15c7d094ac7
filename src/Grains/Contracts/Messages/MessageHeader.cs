namespace ConvNet.Grains.Contracts.Messages;

/// <summary>
/// What every message carries that may change the state of a job's part: its fences tell old messages by it, and repeated ones
/// together with the place that the message names.
/// </summary>
/// <param name="Step">The step that the message is about; of a version, the number of steps before it.</param>
/// <param name="Worker">The sender's index in <see cref="Assignment.Workers"/>, or <see cref="Server"/>.</param>
/// <param name="Incarnation">The sender's, if it is a worker.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.MessageHeader")]
public readonly record struct MessageHeader(
    [property: Id(0)] string JobId,
    [property: Id(1)] long Generation,
    [property: Id(2)] long Step,
    [property: Id(3)] int Worker = MessageHeader.Server,
    [property: Id(4)] int Incarnation = 0)
{
    /// <summary>In place of a worker's index: the sender is the job grain or one of its servers.</summary>
    public const int Server = -1;
}
