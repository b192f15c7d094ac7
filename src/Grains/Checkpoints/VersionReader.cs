using System.Globalization;
using System.Text.Json;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Reads one version of a job's state from the servers that are at rest at it, in bounded chunks.</summary>
internal static class VersionReader
{
    /// <summary>A copy: the servers may go on with the next step as soon as this returns.</summary>
    public static async Task<Checkpoint> ReadAsync(IGrainFactory grains, Assignment assignment, JobPosition position, FinalResult? result)
    {
        var parts = new JobParts(grains, assignment, position.Step);
        List<NamedTensor> parameters = await ReadAsync(parts, StateSlot.Weights);
        var optimizer = new List<NamedTensor>();
        for (int slot = 0; slot < parts.Job.Optimizer.SlotNames.Count; slot++)
        {
            optimizer.AddRange(await ReadAsync(parts, slot));
        }

        return new Checkpoint(StateOf(parts, position, result), parameters, await ReadStatisticsAsync(parts), optimizer, MetadataOf(parts.Job));
    }

    private static async Task<List<NamedTensor>> ReadAsync(JobParts parts, int slot)
    {
        float[][] values = [.. parts.Model.Parameters.Select(p => new float[p.BlockCount * Parameter.BlockSize])];
        await parts.ForEachChunkAsync(async (partition, chunk) =>
        {
            using TensorBlock block = Demand(await GrainCalls.CallAsync(
                () => parts.Servers[partition].ReadAsync(parts.Header, slot, chunk.Index), () => $"reading of partition {partition}"));
            parts.Plans[partition].ScatterChunk(chunk.Index, block.Span, tensor => values[tensor]);
        });
        return [.. parts.Model.Parameters.Select((p, i) => new NamedTensor(parts.NameOf(slot, p), p.Shape, values[i].AsMemory(0, p.Count)))];
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
}
