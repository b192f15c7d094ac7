namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>A job that waits for workers, as it stands in the queue.</summary>
/// <param name="Priority">The higher one goes first.</param>
/// <param name="Number">Of its submission: of two jobs with the same priority the earlier one goes first.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.QueuedJob")]
public sealed record QueuedJob([property: Id(0)] string JobId, [property: Id(1)] int Priority, [property: Id(2)] long Number);
