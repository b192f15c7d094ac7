namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Where a job's checkpoints are, as the silo that writes them sees it.</summary>
/// <param name="Writer">The key of the grains that write them and hand them out.</param>
/// <param name="Folder">Absolute path of the folder that they are saved under.</param>
/// <param name="IsCache">
/// The silo cannot reach the run folder of the job's client: it keeps the newest ones in a folder of its own, from where the client fetches them.
/// </param>
/// <param name="Checkpoint">Absolute path of the checkpoint to go on from; null: the job starts afresh, or it is still to come.</param>
/// <param name="AwaitsUpload">The silo does not have the checkpoint to go on from: the client sends it.</param>
/// <param name="Received">Bytes of it that have arrived.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointPlace")]
public sealed record CheckpointPlace(
    [property: Id(0)] string Writer,
    [property: Id(1)] string Folder,
    [property: Id(2)] bool IsCache,
    [property: Id(3)] string? Checkpoint = null,
    [property: Id(4)] bool AwaitsUpload = false,
    [property: Id(5)] long Received = 0)
{
    public string Silo => PinnedKey.SiloOf(Writer);
}
