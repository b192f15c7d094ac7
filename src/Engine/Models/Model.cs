using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;

namespace ConvNet.Engine.Models;

/// <summary>
/// A model with every shape and name resolved: what servers, checkpoints and planners need to know of it, and what a device needs to
/// run it. It has no threads and no kernels, and it takes no memory for activations, values or gradients until a device runs it.
/// </summary>
/// <remarks>
/// Who owns what: the model owns its layers and parameters as a description. Their memory (<see cref="Parameter.Values"/>,
/// <see cref="Parameter.GradientRoot"/>, the layers' buffers) comes into being on the worker that runs the model and belongs to the
/// device that runs it, such as a network of <c>Training</c>. So a model that is run belongs to one device; another one builds its own.
/// </remarks>
public sealed class Model
{
    /// <exception cref="ConvNetException">A layer is impossible, or the model does not end with one value per class (exit code 3).</exception>
    public Model(ModelSpec spec, BatchNormMode batchNormMode)
    {
        Spec = spec;
        BatchNormMode = batchNormMode;
        Sequence = new ModelBuilder(batchNormMode).Build(spec.Layers, "", spec.Input);
        if (Sequence.Output.Area != 1)
        {
            throw ConvNetException.BadInput(
                $"model '{spec.Name}' ends with {Sequence.Output}, but a classifier ends with one value per class (Cx1x1); " +
                "end the model with {\"type\":\"flatten\"} and a \"fullyConnected\" layer.");
        }

        Layers = [.. Sequence.Walk()];
        Parameters = [.. Layers.SelectMany(layer => layer.Parameters)];
        BatchNorms = [.. Layers.OfType<BatchNorm>()];
        Layout = new ParameterLayout(Parameters);
    }

    public ModelSpec Spec { get; }

    public BatchNormMode BatchNormMode { get; }

    /// <summary>All layers depth first, children after their parent; <see cref="Layer.Index"/> is the place in this list.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>All trainable tensors in forward order; the order of <see cref="ParameterLayout.Tensors"/>.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>In forward order: the index is the <c>norm</c> of <see cref="StepExchange"/>.</summary>
    public IReadOnlyList<BatchNorm> BatchNorms { get; }

    public ParameterLayout Layout { get; }

    public int Classes => Sequence.Output.C;

    /// <summary>The layers as they feed each other.</summary>
    internal LayerSequence Sequence { get; }

    /// <summary>Refuses a batch that leaves a batch norm with a single value per channel, whose normalized value is always 0.</summary>
    /// <param name="batch">Samples of the smallest step of the job.</param>
    /// <param name="dataShards">S of the job; matters only with statistics per shard.</param>
    /// <exception cref="ConvNetException">Exit code 3.</exception>
    public void CheckBatch(int batch, int dataShards = 1)
    {
        if (ProblemOfBatch(batch, dataShards) is { } problem)
        {
            throw ConvNetException.BadInput($"{problem}; use a larger batch, or a batchNorm where height x width is above 1.");
        }
    }

    /// <summary>Why a step of so many samples cannot be normalized, as a sentence without its end, or null if it can.</summary>
    public string? ProblemOfBatch(int batch, int dataShards = 1)
    {
        bool isSync = BatchNormMode == BatchNormMode.Sync;
        int samples = isSync ? batch : Math.Max(1, batch / dataShards);
        BatchNorm? single = BatchNorms.FirstOrDefault(norm => (long)norm.Output.Area * samples == 1);
        if (single is null)
        {
            return null;
        }

        string where = isSync ? $"a batch of {batch}" : $"a shard of {samples} (batch {batch} over {dataShards} data shards)";
        return $"layer '{single.Name}' (batchNorm): volume {single.Output} and {where} leave a single value per channel, and its variance is 0";
    }
}
