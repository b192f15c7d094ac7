using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Partition;
using Orleans.Placement;

namespace ConvNet.Grains.Checkpoints;

[PinnedPlacement, Immovable]
internal sealed class CheckpointGrain : Grain, ICheckpointGrain
{
    private const int ChunksInFlight = 8;

    public async Task<JobPosition> OpenAsync(string path, string jobJson)
    {
        CheckpointState state = (await LoadAsync(path, jobJson)).State;

        // The epoch in progress at its end still counts the samples of the one that is complete.
        int epoch = state.Step == 0 ? 0 : JobSpec.FromJson(jobJson).Shape.EpochOf(state.Step - 1);
        return new JobPosition(
            state.Step,
            state.Step - state.SkippedSteps,
            state.SkipsInARow,
            new EpochTotals(epoch, new Metrics(state.EpochLossSum, state.EpochCorrect, state.EpochSamples)));
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
            await InstallAsync(parts, slot, [.. parts.Model.Parameters.Select(p => Padded(p, tensors[SlotTensor(parts, slot, p)]))]);
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

    public async Task<CheckpointResult> SaveAsync(
        string runFolder, Assignment assignment, JobPosition position, FinalResult? result, CheckpointRetention? retention)
    {
        long start = Stopwatch.GetTimestamp();
        var parts = new JobParts(GrainFactory, assignment, position.Step);
        List<NamedTensor> parameters = await ReadAsync(parts, StateSlot.Weights);
        var optimizer = new List<NamedTensor>();
        for (int slot = 0; slot < parts.Job.Optimizer.SlotNames.Count; slot++)
        {
            optimizer.AddRange(await ReadAsync(parts, slot));
        }

        var checkpoint = new Checkpoint(
            StateOf(parts, position, result), parameters, await ReadStatisticsAsync(parts), optimizer, MetadataOf(parts.Job));
        string store = Path.Combine(runFolder, CheckpointStore.FolderName);
        CheckpointResult written = await Task.Run(() =>
        {
            if (retention is null)
            {
                return CheckpointFolder.Save(store, checkpoint);
            }

            CheckpointStore.Sweep(store);
            CheckpointResult saved = CheckpointFolder.Save(store, checkpoint);
            CheckpointStore.Keep(store, retention);
            return saved;
        });
        long floats = checkpoint.Model.Concat(checkpoint.Optimizer).Sum(tensor => (long)tensor.Data.Length);
        JobMeter.AddSaved(Stopwatch.GetElapsedTime(start).TotalSeconds, floats * sizeof(float));
        return written;
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

    private static string SlotTensor(JobParts parts, int slot, Parameter parameter) =>
        slot == StateSlot.Weights ? parameter.Name : CheckpointTensors.SlotOf(parts.Job.Optimizer.SlotNames[slot], parameter.Name);

    private static float[] Padded(Parameter parameter, NamedTensor tensor)
    {
        var padded = new float[parameter.BlockCount * Parameter.BlockSize];
        tensor.Data.Span.CopyTo(padded);
        return padded;
    }

    /// <param name="values">By parameter, padded to whole blocks.</param>
    private static Task InstallAsync(JobParts parts, int slot, float[][] values) => ForEachChunkAsync(parts, async (partition, chunk) =>
    {
        var floats = new float[chunk.Length];
        parts.Plans[partition].GatherChunk(chunk.Index, tensor => values[tensor], floats);
        await GrainCalls.DeliverAsync(
            () => parts.Servers[partition].InstallAsync(parts.Header, slot, chunk.Index, new TensorBlock(floats, 0, floats.Length)),
            () => $"restoring of partition {partition}");
    });

    private static async Task<List<NamedTensor>> ReadAsync(JobParts parts, int slot)
    {
        float[][] values = [.. parts.Model.Parameters.Select(p => new float[p.BlockCount * Parameter.BlockSize])];
        await ForEachChunkAsync(parts, async (partition, chunk) =>
        {
            using TensorBlock block = Demand(await GrainCalls.CallAsync(
                () => parts.Servers[partition].ReadAsync(parts.Header, slot, chunk.Index), () => $"reading of partition {partition}"));
            parts.Plans[partition].ScatterChunk(chunk.Index, block.Span, tensor => values[tensor]);
        });
        return [.. parts.Model.Parameters.Select((p, i) => new NamedTensor(SlotTensor(parts, slot, p), p.Shape, values[i].AsMemory(0, p.Count)))];
    }

    private static async Task<List<NamedTensor>> ReadStatisticsAsync(JobParts parts)
    {
        var tensors = new List<NamedTensor>();
        for (int norm = 0; norm < parts.Model.BatchNorms.Count; norm++)
        {
            using TensorBlock block = Demand(await GrainCalls.CallAsync(
                () => parts.BatchNorm.ReadAsync(parts.Header, norm), () => "reading of the batch norms"));
            int channels = block.Length / 2;
            string name = parts.Model.BatchNorms[norm].Name;
            tensors.Add(new NamedTensor(CheckpointTensors.MeanOf(name), [channels], block.Span[..channels].ToArray()));
            tensors.Add(new NamedTensor(CheckpointTensors.VarianceOf(name), [channels], block.Span[channels..].ToArray()));
        }

        return tensors;
    }

    /// <summary>Runs a call for each chunk of each partition, a bounded number at a time, in turns of this grain.</summary>
    private static Task ForEachChunkAsync(JobParts parts, Func<int, Chunk, Task> call)
    {
        IEnumerable<(int Partition, Chunk Chunk)> chunks =
            parts.Plans.SelectMany((plan, partition) => plan.Chunks.Select(chunk => (partition, chunk)));
        var window = new ParallelOptions { MaxDegreeOfParallelism = ChunksInFlight, TaskScheduler = TaskScheduler.Current };
        return Parallel.ForEachAsync(chunks, window, async (at, _) => await call(at.Partition, at.Chunk));
    }

    private static CheckpointState StateOf(JobParts parts, JobPosition position, FinalResult? result) => new()
    {
        NumericsVersion = parts.Job.NumericsVersion,
        Model = parts.Job.Model.Name,
        Step = position.Step,
        TotalSteps = parts.Job.TotalSteps,
        JobJson = parts.JobJson,
        DataSha256 = parts.Job.Data.Sha256,
        EpochLossSum = position.Epoch.Sums.LossSum,
        EpochCorrect = position.Epoch.Sums.Correct,
        EpochSamples = position.Epoch.Sums.Count,
        SkippedSteps = position.SkippedSteps,
        SkipsInARow = position.SkipsInARow,
        Completed = result is not null,
        Result = result,
    };

    private static Dictionary<string, string> MetadataOf(JobSpec job)
    {
        var metadata = new Dictionary<string, string>
        {
            ["convnet.model"] = ModelFile.Write(job.Model),
            ["convnet.mean"] = List(job.Adapter.Mean),
            ["convnet.std"] = List(job.Adapter.Std),
        };
        if (job.ClassNames is { } names)
        {
            metadata[CheckpointTensors.ClassNames] = JsonSerializer.Serialize(names);
        }

        return metadata;
    }

    /// <summary>The floats of a version that every server is at rest at.</summary>
    private static TensorBlock Demand(BlockAnswer answer) => answer.Values ?? throw new ConvNetException(
        ExitCode.Bug, $"a server answered {answer.Verdict} to a request of a checkpoint: {answer.Answer.Reason}");

    private static string List(double[] values) => string.Join(",", values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>The model of a job and the grains that hold its state.</summary>
    private sealed class JobParts
    {
        public JobParts(IGrainFactory grains, Assignment assignment, long version)
        {
            JobJson = assignment.JobJson;
            Header = assignment.HeaderOf(version);
            Job = JobSpec.FromJson(assignment.JobJson);
            Model = new Model(Job.Model, Job.BatchNormMode);
            Servers = [.. assignment.Servers.Partitions.Select(key => grains.GetGrain<IParameterServerGrain>(key))];
            Plans = [.. Enumerable.Range(0, Servers.Length).Select(p => new PartitionPlan(Model.Layout, p, Servers.Length))];
            BatchNorm = grains.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm);
        }

        public string JobJson { get; }

        /// <summary>Of messages about the version that is written or read.</summary>
        public MessageHeader Header { get; }

        public JobSpec Job { get; }

        public Model Model { get; }

        public IParameterServerGrain[] Servers { get; }

        public PartitionPlan[] Plans { get; }

        public IBatchNormGrain BatchNorm { get; }
    }
}
