using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How what the simulated job grain has pinned comes to a disk, which may be slow, or full.</summary>
internal sealed partial class SimulatedJobGrain
{
    private const int SlowestWrite = 60_000;

    /// <summary>The writer is another process than the job grain, and works on when that is lost.</summary>
    private async Task WriteAsync(JobCommand.Write write)
    {
        FakeState state = Pinned!;
        var writer = new Life(cluster.Network.NewHost());
        if (!await UseDiskAsync().ConfigureAwait(false))
        {
            Take(() => Machine.NotSaved(write.Step, "the disk is full.", Now));
            return;
        }

        string key = write.Assignment.Servers.Checkpoint;
        bool isWanted = await cluster.CallHeadAsync(writer, grain => grain.Wants(key, write.Step), answer => answer is not null).ConfigureAwait(false) == true;
        if (isWanted && cluster.Find(key) is not null && !cluster.IsLost(key))
        {
            Checkpoints.Add(state);
            Take(() => Machine.Saved(new CheckpointResult("", state.Position.Step, state.Hash(), ""), Now));
        }
        else
        {
            cluster.Counts.Add("the writer of a checkpoint is lost");
            Take(() => Machine.LoseWrite(write.Step, "its silo is gone.", Now));
        }
    }

    /// <returns>Null while nobody leads the job.</returns>
    private bool? Wants(string writer, long step) =>
        IsLost && !Machine.HasEnded ? null : Machine.IsWriting(step) && Machine.Assignment?.Servers.Checkpoint == writer;

    /// <returns>False if the disk is full.</returns>
    private async Task<bool> UseDiskAsync()
    {
        bool isSlow = random.Chance(cluster.Layout.DiskFaults);
        bool isFull = random.Chance(cluster.Layout.DiskFaults);
        if (isSlow || isFull)
        {
            cluster.NoteFault(isFull ? "a disk takes no checkpoint" : "a disk is slow");
        }

        var done = new TaskCompletionSource();
        cluster.Network.After(1 + random.Below(isSlow ? SlowestWrite : cluster.Layout.Faults.LongestDelay), done.SetResult);
        await done.Task.ConfigureAwait(false);
        return !isFull;
    }
}
