using ConvNet.Engine.Formats;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Checkpoints;

/// <summary>Names and shapes of the tensors in a checkpoint.</summary>
public static class CheckpointTensors
{
    /// <summary>The key of the metadata with the names of classes, as a JSON list.</summary>
    internal const string ClassNames = "convnet.classes";

    private const string MeanSuffix = ".running_mean";
    private const string VarianceSuffix = ".running_var";

    /// <summary>The running mean of a batch norm, by the layer's name.</summary>
    public static string MeanOf(string norm) => norm + MeanSuffix;

    /// <summary>The running variance of a batch norm, by the layer's name.</summary>
    public static string VarianceOf(string norm) => norm + VarianceSuffix;

    /// <summary>A slot of the optimizer that belongs to a parameter, such as momentum.0.weight.</summary>
    public static string SlotOf(string slot, string parameter) => $"{slot}.{parameter}";

    /// <summary>Whether a tensor of model.safetensors is a running statistic, not a trainable parameter.</summary>
    public static bool IsStatistic(string name) =>
        name.EndsWith(MeanSuffix, StringComparison.Ordinal) || name.EndsWith(VarianceSuffix, StringComparison.Ordinal);

    /// <summary>model.safetensors: the parameters in forward order, then mean and variance (C values each) of each batch norm.</summary>
    public static IReadOnlyList<(string Name, int[] Shape)> OfModel(Model model)
    {
        var tensors = new List<(string, int[])>();
        foreach (Parameter parameter in model.Parameters)
        {
            tensors.Add((parameter.Name, parameter.Shape));
        }

        foreach (BatchNorm norm in model.BatchNorms)
        {
            tensors.Add((MeanOf(norm.Name), [norm.Output.C]));
            tensors.Add((VarianceOf(norm.Name), [norm.Output.C]));
        }

        return tensors;
    }

    /// <summary>The bytes that a file of a job's checkpoint can have at most.</summary>
    /// <param name="file">One of <see cref="CheckpointFolder.Files"/>.</param>
    internal static long MostBytes(JobSpec job, string file)
    {
        if (file == CheckpointFolder.StateFile)
        {
            return CheckpointState.MaxLength;
        }

        var model = new Model(job.Model, job.BatchNormMode);
        IEnumerable<(string, int[] Shape)> tensors = file == CheckpointFolder.ModelFile ? OfModel(model) : OfOptimizer(model, job.Optimizer);
        return sizeof(long) + SafetensorsFile.MaxHeaderLength
            + tensors.Sum(tensor => tensor.Shape.Aggregate((long)sizeof(float), (bytes, size) => bytes * size));
    }

    /// <summary>optimizer.safetensors: each slot of all parameters, shaped like them.</summary>
    public static IReadOnlyList<(string Name, int[] Shape)> OfOptimizer(Model model, OptimizerSpec optimizer) =>
        [.. optimizer.SlotNames.SelectMany(slot => model.Parameters.Select(parameter => (SlotOf(slot, parameter.Name), parameter.Shape)))];
}
