using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Puts the tensors of a checkpoint into a model.</summary>
public static class CheckpointWeights
{
    /// <summary>Checks that all tensors, the optimizer's included, are those of a job.</summary>
    /// <param name="path">Of the checkpoint, for the message.</param>
    /// <exception cref="ConvNetException">Some are missing, unknown, misshapen or not finite; all are listed (exit code 3).</exception>
    public static void CheckFit(JobSpec job, Checkpoint checkpoint, string path)
    {
        var model = new Model(job.Model, job.BatchNormMode);
        TensorList.Match(path, CheckpointTensors.OfModel(model), [.. checkpoint.Model]);
        TensorList.Match(path, CheckpointTensors.OfOptimizer(model, job.Optimizer), checkpoint.Optimizer);
    }

    /// <summary>Fills all parameters.</summary>
    /// <param name="path">Of the checkpoint, for the message.</param>
    /// <returns>The running statistics, in the order of <see cref="Model.BatchNorms"/>.</returns>
    /// <exception cref="ConvNetException">
    /// The tensors are not the model's: all that are missing, unknown, misshapen or not finite are listed (exit code 3).
    /// </exception>
    public static BatchNormState[] Load(Model model, Checkpoint checkpoint, string path) => Load(model, [.. checkpoint.Model], path);

    /// <summary>The same with the tensors of a checkpoint's model.safetensors.</summary>
    public static BatchNormState[] Load(Model model, IReadOnlyList<NamedTensor> saved, string path)
    {
        IReadOnlyList<NamedTensor> tensors = TensorList.Match(path, CheckpointTensors.OfModel(model), saved);
        int next = 0;
        foreach (Parameter parameter in model.Parameters)
        {
            tensors[next++].Data.CopyTo(parameter.Values);
        }

        var statistics = new BatchNormState[model.BatchNorms.Count];
        for (int norm = 0; norm < statistics.Length; norm++)
        {
            statistics[norm] = new BatchNormState(
                model.BatchNorms[norm].Name, tensors[next++].Data.ToArray(), tensors[next++].Data.ToArray());
        }

        return statistics;
    }
}
