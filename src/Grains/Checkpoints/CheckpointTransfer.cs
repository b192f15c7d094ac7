using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Checkpoints between a client and a silo that do not share a disk. What is lost on the way is sent again, what arrives is verified.</summary>
public static class CheckpointTransfer
{
    /// <summary>A checkpoint that is replaced or damaged on the way is begun again so often.</summary>
    private const int Attempts = 3;

    /// <summary>What names a checkpoint to a silo that may not see its folder.</summary>
    /// <exception cref="ConvNetException">There is none (exit code 3).</exception>
    public static string Fingerprint(string checkpoint) => CheckpointSource.Fingerprint(checkpoint)
        ?? throw ConvNetException.BadInput($"{checkpoint}: has no {CheckpointFolder.ManifestFile}. Use another checkpoint.");

    /// <summary>Fetches a checkpoint into <paramref name="runFolder"/>/checkpoints, where it appears when it is whole and on the disk.</summary>
    /// <param name="job">Whose it is, if known: bounds its size.</param>
    /// <returns>With the path here; null if the silo does not have it any more.</returns>
    /// <exception cref="ConvNetException">
    /// The silo does not answer (exit code 4), what it sends is damaged (3), the folder has checkpoints of another job (6), or no room (7).
    /// </exception>
    public static async Task<CheckpointResult?> FetchAsync(
        ICheckpointStoreGrain silo, ClusterContact contact, long step, string runFolder, JobSpec? job, CancellationToken cancellation = default)
    {
        string store = Path.Combine(runFolder, CheckpointStore.FolderName);
        string final = Path.Combine(store, CheckpointFolder.NameOf(step));
        for (int attempt = 1; ; attempt++)
        {
            byte[]? manifest = await contact.AskAsync(() => silo.ManifestAsync(step), cancellation);
            if (manifest is null)
            {
                return null;
            }

            if (IsThere(final, manifest) is { } known)
            {
                return known;
            }

            using var receipt = CheckpointReceipt.Begin(store, manifest, job);
            try
            {
                if (!await ReceiveAsync(silo, contact, step, receipt, cancellation))
                {
                    return null;
                }

                receipt.DemandSameJob();
                return receipt.Complete();
            }
            catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput && attempt < Attempts)
            {
                // It may have been replaced while it was read.
            }
        }
    }

    /// <summary>Sends the checkpoint that a job waits for.</summary>
    /// <exception cref="ConvNetException">The silo does not answer (exit code 4), refuses it (3), or has no room for it (7).</exception>
    public static async Task SendAsync(ICheckpointStoreGrain silo, ClusterContact contact, string checkpoint, CancellationToken cancellation = default)
    {
        byte[] manifest = CheckpointSource.Manifest(checkpoint)
            ?? throw ConvNetException.BadInput($"{checkpoint}: has no {CheckpointFolder.ManifestFile}. Use another checkpoint.");
        await contact.AskAsync(() => silo.OfferAsync(manifest), cancellation);
        foreach (string file in CheckpointFolder.Files)
        {
            long offset = 0;
            while (true)
            {
                long from = offset;
                byte[] piece = await Task.Run(() => CheckpointSource.Read(checkpoint, file, from), cancellation)
                    ?? throw ConvNetException.BadInput($"{checkpoint}: {file} is missing. Use another checkpoint.");
                if (piece.Length == 0)
                {
                    break;
                }

                await contact.AskAsync(() => silo.PutAsync(file, from, piece), cancellation);
                offset += piece.Length;
            }
        }

        await contact.AskAsync(silo.AcceptAsync, cancellation);
    }

    private static async Task<bool> ReceiveAsync(
        ICheckpointStoreGrain silo, ClusterContact contact, long step, CheckpointReceipt receipt, CancellationToken cancellation)
    {
        foreach (CheckpointFile file in receipt.Manifest.Files)
        {
            for (long offset = 0; offset < file.Size;)
            {
                long from = offset;
                byte[]? piece = await contact.AskAsync(() => silo.ReadAsync(step, file.Name, from), cancellation);
                if (piece is null)
                {
                    return false;
                }

                await Task.Run(() => receipt.Append(file.Name, from, piece), cancellation);
                offset += piece.Length;
            }
        }

        return true;
    }

    private static CheckpointResult? IsThere(string final, byte[] manifest)
    {
        if (CheckpointSource.Manifest(final) is not { } own || !own.AsSpan().SequenceEqual(manifest))
        {
            return null;
        }

        CheckpointVerification found = CheckpointFolder.Verify(final);
        return found.Ok ? new CheckpointResult(final, found.Step!.Value, found.StateSha256!, found.WeightsSha256!) : null;
    }
}
