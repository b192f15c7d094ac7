using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Keeps one version of a job's state until it is written. Reentrant: the job may go back to a checkpoint while a disk does not answer.</summary>
[PinnedPlacement, Immovable, Reentrant]
internal sealed class CheckpointGrain : Grain, ICheckpointGrain
{
    /// <summary>For a disk: then the write counts as failed, although nobody can take it back.</summary>
    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(270);

    private readonly VerifiedCheckpoints _verified = new();
    private PinnedVersion? _pinned;
    private Task? _writing;

    public async Task<JobPosition> OpenAsync(string path, string jobJson) => PositionOf((await LoadAsync(path, jobJson)).State, jobJson);

    public async Task<WholeCheckpoint> FindWholeAsync(string runFolder, string jobJson)
    {
        var warnings = new List<string>();
        string path = await Task.Run(() => CheckpointStore.FindNewest(runFolder, warnings.Add)) ?? throw ConvNetException.BadInput(
            $"{runFolder}: has no whole checkpoint to go back to. {string.Join(" ", warnings)} Start the run again.");
        Checkpoint checkpoint = await LoadAsync(path, jobJson);
        return new WholeCheckpoint(
            new CheckpointResult(path, checkpoint.State.Step, checkpoint.StateSha256(), checkpoint.WeightsSha256()),
            PositionOf(checkpoint.State, jobJson),
            [.. warnings]);
    }

    public async Task RestoreAsync(string path, Assignment assignment)
    {
        long start = Stopwatch.GetTimestamp();

        // Nothing is kept since it was opened: whoever opens a checkpoint may never come back.
        Checkpoint checkpoint = await LoadAsync(path, assignment.JobJson);
        if (checkpoint.State.Step != assignment.FirstStep)
        {
            throw new ConvNetException(
                ExitCode.BadInput,
                $"{path} holds step {checkpoint.State.Step}, but generation {assignment.Generation} starts at step {assignment.FirstStep}; " +
                "the checkpoint has been replaced.");
        }

        var parts = new JobParts(GrainFactory, assignment, assignment.FirstStep);
        IReadOnlyList<(string, int[])> model = CheckpointTensors.OfModel(parts.Model);
        IReadOnlyList<(string, int[])> slots = CheckpointTensors.OfOptimizer(parts.Model, parts.Job.Optimizer);
        Dictionary<string, NamedTensor> tensors = TensorList.Match(CheckpointFolder.ModelFile, model, [.. checkpoint.Model])
            .Concat(TensorList.Match(CheckpointFolder.OptimizerFile, slots, checkpoint.Optimizer))
            .ToDictionary(tensor => tensor.Name);
        for (int slot = StateSlot.Weights; slot < parts.Job.Optimizer.SlotNames.Count; slot++)
        {
            await InstallAsync(parts, slot, [.. parts.Model.Parameters.Select(p => Padded(p, tensors[parts.NameOf(slot, p)]))]);
        }

        for (int norm = 0; norm < parts.Model.BatchNorms.Count; norm++)
        {
            string name = parts.Model.BatchNorms[norm].Name;
            float[] floats = [.. tensors[CheckpointTensors.MeanOf(name)].Data.Span, .. tensors[CheckpointTensors.VarianceOf(name)].Data.Span];
            await GrainCalls.DeliverAsync(
                () => parts.BatchNorm.InstallAsync(parts.Header, norm, new TensorBlock(floats, 0, floats.Length)), () => $"restoring of {name}");
        }

        JobMeter.AddRestored(Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public async Task PinAsync(Assignment assignment, JobPosition position, FinalResult? result)
    {
        long start = Stopwatch.GetTimestamp();
        _pinned = null;
        Checkpoint checkpoint = await VersionReader.ReadAsync(GrainFactory, assignment, position, result);
        _pinned = new PinnedVersion(assignment.JobId, checkpoint, start);
    }

    public async Task<CheckpointResult> WriteAsync(string runFolder, long step, CheckpointRetention? retention)
    {
        (PinnedVersion? version, _pinned) = (_pinned, null);
        if (version is null || version.Checkpoint.State.Step != step)
        {
            throw new ConvNetException(ExitCode.Environment, $"step {step} is to be written, but the silo that writes checkpoints has lost what it had of it.");
        }

        long start = Stopwatch.GetTimestamp();
        if (_writing is { IsCompleted: false } earlier && await Task.WhenAny(earlier, Task.Delay(WritePatience)) != earlier)
        {
            throw new ConvNetException(
                ExitCode.Resources, $"{runFolder}: the disk has not finished an earlier checkpoint. See what holds it up, or free some space.");
        }

        TimeSpan patience = WritePatience - Stopwatch.GetElapsedTime(start);
        Task<CheckpointResult> writing = WriteAsync(Path.Combine(runFolder, CheckpointStore.FolderName), version, retention);
        _writing = writing;
        try
        {
            return await writing.WaitAsync(patience > TimeSpan.Zero ? patience : TimeSpan.Zero);
        }
        catch (TimeoutException e) when (!writing.IsCompleted)
        {
            writing.Ignore();
            throw new ConvNetException(
                ExitCode.Resources,
                $"{runFolder}: the disk has not finished it within {WritePatience.TotalSeconds:F0} s. See what holds it up, or choose another folder.",
                e);
        }
    }

    private async Task<CheckpointResult> WriteAsync(string store, PinnedVersion version, CheckpointRetention? retention)
    {
        Checkpoint checkpoint = version.Checkpoint;
        long step = checkpoint.State.Step;
        UnpublishedCheckpoint written = await Task.Run(() =>
        {
            if (retention is not null)
            {
                CheckpointStore.Sweep(store);
            }

            return CheckpointFolder.Write(store, checkpoint, DurableDisk.Machine);
        });

        // Whoever was frozen meanwhile does not put anything beside what another one writes for the job now.
        bool isWanted = false;
        try
        {
            IJobControlGrain job = GrainFactory.GetGrain<IJobControlGrain>(version.JobId);
            string self = this.GetPrimaryKeyString();
            isWanted = await GrainCalls.CallAsync(() => job.WantsCheckpointAsync(self, step), () => $"question whether step {step} is still to be saved");
        }
        finally
        {
            if (!isWanted)
            {
                await Task.Run(written.Discard);
            }
        }

        if (!isWanted)
        {
            throw new ConvNetException(ExitCode.Conflict, $"the checkpoint of step {step} was not kept: the job has ended, or gone back, since it was pinned.");
        }

        CheckpointResult saved = await Task.Run(() =>
        {
            CheckpointResult published = written.Publish();
            if (retention is not null)
            {
                _verified.Add(published.Path);
                CheckpointStore.Keep(store, retention, _verified.IsWhole);
            }

            return published;
        });
        long floats = checkpoint.Model.Concat(checkpoint.Optimizer).Sum(tensor => (long)tensor.Data.Length);
        JobMeter.AddSaved(Stopwatch.GetElapsedTime(version.Since).TotalSeconds, floats * sizeof(float));
        return saved;
    }

    private static JobPosition PositionOf(CheckpointState state, string jobJson)
    {
        // The epoch in progress at its end still counts the samples of the one that is complete.
        int epoch = state.Step == 0 ? 0 : JobSpec.FromJson(jobJson).Shape.EpochOf(state.Step - 1);
        return new JobPosition(
            state.Step,
            state.Step - state.SkippedSteps,
            state.SkipsInARow,
            new EpochTotals(epoch, new Metrics(state.EpochLossSum, state.EpochCorrect, state.EpochSamples)));
    }

    /// <exception cref="ConvNetException">The checkpoint is damaged, or of another job.</exception>
    private static async Task<Checkpoint> LoadAsync(string path, string jobJson)
    {
        // Verifying hashes the whole file; it must not hold up a turn.
        Checkpoint checkpoint = await Task.Run(() => CheckpointFolder.Load(path));
        CheckpointState state = checkpoint.State;
        return JobSpec.FromJson(state.JobJson).IsSameJob(JobSpec.FromJson(jobJson)) ? checkpoint : throw new ConvNetException(
            ExitCode.BadInput,
            $"{path} is a checkpoint of another job (model '{state.Model}', {state.TotalSteps} steps, data {state.DataSha256[..12]}…); " +
            "resume it as that job.");
    }

    private static float[] Padded(Parameter parameter, NamedTensor tensor)
    {
        var padded = new float[parameter.BlockCount * Parameter.BlockSize];
        tensor.Data.Span.CopyTo(padded);
        return padded;
    }

    /// <param name="values">By parameter, padded to whole blocks.</param>
    private static Task InstallAsync(JobParts parts, int slot, float[][] values) => parts.ForEachChunkAsync(async (partition, chunk) =>
    {
        var floats = new float[chunk.Length];
        parts.Plans[partition].GatherChunk(chunk.Index, tensor => values[tensor], floats);
        await GrainCalls.DeliverAsync(
            () => parts.Servers[partition].InstallAsync(parts.Header, slot, chunk.Index, new TensorBlock(floats, 0, floats.Length)),
            () => $"restoring of partition {partition}");
    });

    /// <param name="Since">A time stamp of <see cref="Stopwatch"/>.</param>
    private sealed record PinnedVersion(string JobId, Checkpoint Checkpoint, long Since);
}
