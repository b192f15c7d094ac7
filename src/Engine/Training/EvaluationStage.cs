using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Training;

/// <summary>
/// Layers <paramref name="First"/> to before <paramref name="End"/> of a model, and how evaluation runs them: for a few samples at a time,
/// or one after the other for the whole batch. The choice decides the time alone, never a result.
/// </summary>
/// <param name="Chunk">Samples at a time, or 0 for the whole batch.</param>
internal readonly record struct EvaluationStage(int First, int End, int Chunk)
{
    /// <summary>Floats that should stay in a thread's second-level cache from one layer to the next: 1 MiB.</summary>
    private const long CachedFloats = 1 << 18;

    /// <summary>Weights of a layer that may be read again for each chunk: in Winograd's form 2 MiB.</summary>
    private const long SmallLayer = 1 << 17;

    /// <summary>Weights of a stage, which should all stay in the last cache while the samples pass through it: in Winograd's form 8 MiB.</summary>
    private const long SmallStage = 1 << 19;

    /// <summary>With more samples, even small images fill the tiles of every kernel.</summary>
    private const int MaxChunk = 24;

    /// <summary>
    /// Images of 32, 16 and 8 pixels have 8, 4 and 2 rows of Winograd's tiles, and those of three samples fill the kernels' chunks of tiles
    /// without a rest. Fewer samples read the filters too often.
    /// </summary>
    private const int EvenChunk = 3;

    public bool IsDepthFirst => Chunk > 0;

    /// <summary>The stages of a model; from the first large layer on, the whole batch goes through layer by layer.</summary>
    public static IReadOnlyList<EvaluationStage> Of(IReadOnlyList<Layer> layers)
    {
        var stages = new List<EvaluationStage>();
        int first = 0;
        int start = 0;
        long floats = 0;
        long weights = 0;
        while (start < layers.Count)
        {
            int end = EndOfGroup(layers, start);
            List<Layer> group = [.. layers.Take(start..end).SelectMany(layer => layer.Walk())];
            if (group.Any(layer => layer is LocallyConnected || WeightsOf(layer) > SmallLayer))
            {
                break;
            }

            long more = group.Sum(WeightsOf);
            if (start > first && weights + more > SmallStage)
            {
                stages.Add(new EvaluationStage(first, start, ChunkOf(floats)));
                (first, floats, weights) = (start, 0, 0);
            }

            floats = Math.Max(floats, layers.Take(start..end).Max(layer => FloatsOf(layer, held: 0)));
            weights += more;
            start = end;
        }

        if (start > first)
        {
            stages.Add(new EvaluationStage(first, start, ChunkOf(floats)));
        }

        if (start < layers.Count)
        {
            stages.Add(new EvaluationStage(start, layers.Count, 0));
        }

        return stages;
    }

    /// <summary>Floats of the largest output within this stage, for as many samples as it takes at a time.</summary>
    public long LongestOutput(IReadOnlyList<Layer> layers) =>
        Chunk * layers.Take(First..End).SelectMany(layer => layer.Walk()).Max(layer => FloatsOf(layer.Output));

    /// <summary>Before a convolution or a residual block nothing is under way: they read no sample before their turn.</summary>
    private static int EndOfGroup(IReadOnlyList<Layer> layers, int start)
    {
        int end = start + 1;
        while (end < layers.Count && layers[end] is not (Convolution or Residual))
        {
            end++;
        }

        return end;
    }

    private static long WeightsOf(Layer layer) => layer.Parameters.Sum(parameter => (long)parameter.Count);

    /// <summary>Floats of one sample that a layer reads and writes, and those that a block around it holds meanwhile.</summary>
    private static long FloatsOf(Layer layer, long held) =>
        layer.Children.Count == 0
            ? held + FloatsOf(layer.Input) + FloatsOf(layer.Output)
            : layer.Children.Max(child => FloatsOf(child, held + FloatsOf(layer.Input)));

    private static long FloatsOf(Shape shape) => 8L * shape.Blocks * shape.Area;

    private static int ChunkOf(long floats) => (int)Math.Clamp(CachedFloats / floats, EvenChunk, MaxChunk) / EvenChunk * EvenChunk;
}
