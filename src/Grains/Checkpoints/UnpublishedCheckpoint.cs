using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Checkpoints;

/// <summary>A whole checkpoint on the disk that nobody sees yet: <see cref="Publish"/> gives it its name, <see cref="Discard"/> deletes it.</summary>
internal sealed class UnpublishedCheckpoint(DurableDisk disk, string store, string temporary, CheckpointResult result)
{
    /// <returns>When this returns, the checkpoint survives a power failure.</returns>
    /// <exception cref="ConvNetException">The disk is not writable any more (exit code 7).</exception>
    public CheckpointResult Publish()
    {
        try
        {
            CheckpointFolder.Publish(disk, store, temporary, Path.GetFileName(result.Path));
            return result;
        }
        catch (Exception e)
        {
            Discard();
            if (FileFailure.Is(e))
            {
                throw CheckpointFolder.Failed(result.Path, e);
            }

            throw;
        }
    }

    public void Discard() => CheckpointStore.TryDelete(temporary, disk);
}
