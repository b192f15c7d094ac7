using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Keeps a job's checkpoints on the silo that writes them, for clients that do not share its disk; the key is that of the job's
/// <see cref="ICheckpointGrain"/>. Files travel in pieces of at most <see cref="PieceBytes"/>; whoever gets one checks it against the manifest. No
/// call names a path: a checkpoint is named by its step, a file by its name in every checkpoint.
/// </summary>
[Alias("ConvNet.ICheckpointStoreGrain")]
public interface ICheckpointStoreGrain : IGrainWithStringKey
{
    const int PieceBytes = 1 << 20;

    /// <summary>
    /// Finds out whether this silo sees and can write the run folder of a submission, and has its checkpoint; else makes room in its cache. Asked again,
    /// it says how far an upload is.
    /// </summary>
    /// <exception cref="Engine.Errors.ConvNetException">There is no place for checkpoints: it cannot be written (exit code 3), or is full (7).</exception>
    [Alias("Prepare"), ResponseTimeout("00:00:30")]
    Task<CheckpointPlace> PrepareAsync(JobSubmission submission);

    /// <summary>The manifest of a checkpoint that the job has saved; null if it is not there any more.</summary>
    [Alias("Manifest"), ResponseTimeout("00:00:20")]
    Task<byte[]?> ManifestAsync(long step);

    /// <summary>The next bytes of a file of that checkpoint; null if it is not there any more.</summary>
    [Alias("Read"), ResponseTimeout("00:00:20")]
    Task<byte[]?> ReadAsync(long step, string file, long offset);

    /// <summary>Begins, or begins anew, to send the checkpoint that the job is to go on from.</summary>
    /// <exception cref="Engine.Errors.ConvNetException">
    /// No checkpoint is expected (exit code 6), it is not the one that the submission names or larger than such a job's can be (3), or the disk is full (7).
    /// </exception>
    [Alias("Offer"), ResponseTimeout("00:00:20")]
    Task OfferAsync(byte[] manifest);

    /// <summary>Appends to a file of that checkpoint. The same piece sent again is acknowledged.</summary>
    [Alias("Put"), ResponseTimeout("00:00:20")]
    Task PutAsync(string file, long offset, byte[] bytes);

    /// <summary>All of it is sent: it is verified, and the job goes on from there. May be repeated.</summary>
    [Alias("Accept"), ResponseTimeout("00:03:00")]
    Task AcceptAsync();
}
