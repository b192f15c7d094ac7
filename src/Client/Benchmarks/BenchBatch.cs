using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Client.Benchmarks;

/// <summary>The batch that a benchmark sees again and again.</summary>
internal sealed class BenchBatch
{
    /// <summary>More samples than this in a file are a mistake.</summary>
    public const int MaxCount = 1 << 16;

    private readonly Action<Activation, int[]> _fill;

    private BenchBatch(int count, Action<Activation, int[]> fill)
    {
        Count = count;
        _fill = fill;
    }

    /// <summary>Samples.</summary>
    public int Count { get; }

    /// <summary>Random bytes, which become numbers from −1 to 1 as those of an image do in training.</summary>
    /// <exception cref="ConvNetException">The batch has more values than an array holds (exit code 3).</exception>
    public static BenchBatch Random(Shape shape, int classes, int count)
    {
        long values = (long)count * shape.Count;
        if (values > Array.MaxLength)
        {
            throw ConvNetException.BadInput(
                $"{count} samples of {shape} are {values} values, and a random batch holds at most {Array.MaxLength}; " +
                $"give --batch 1 to {Array.MaxLength / shape.Count}.");
        }

        var random = new Random(1);
        byte[] pixels = new byte[values];
        random.NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(classes))];
        var images = new ImageSet(shape, pixels, labels, [.. Enumerable.Range(0, classes).Select(label => $"{label}")]);
        double[] half = [.. Enumerable.Repeat(0.5, shape.C)];
        var filler = new BatchFiller(images, InputAdapter.For(shape, half, half, shape), augmentation: null);
        int[] samples = [.. Enumerable.Range(0, count)];
        return new BenchBatch(count, (input, classOf) => filler.Fill(seed: 1, epoch: 0, samples, input, classOf));
    }

    /// <summary>
    /// A safetensors file with <c>images</c> (N, C, H, W), as the model sees them, and <c>labels</c> (N), whole numbers as floats.
    /// </summary>
    /// <exception cref="ConvNetException">It is no such file, or does not suit the model (exit code 3).</exception>
    public static BenchBatch Read(string path, Shape shape)
    {
        IReadOnlyList<NamedTensor> tensors = SafetensorsFile.Read(path).Tensors;
        int count = tensors.FirstOrDefault(tensor => tensor.Name == "images")?.Shape.FirstOrDefault() ?? 1;
        if (count is < 1 or > MaxCount)
        {
            throw ConvNetException.BadInput($"{path}: images has {count} samples; give it 1 to {MaxCount}.");
        }

        tensors = TensorList.Match(path, [("images", [count, shape.C, shape.H, shape.W]), ("labels", [count])], tensors);
        int[] labels = [.. tensors[1].Data.ToArray().Select(label => Class(label, path))];
        return new BenchBatch(count, (input, classOf) =>
        {
            labels.CopyTo(classOf, 0);
            Copy(tensors[0].Data.Span, input, count);
        });
    }

    /// <param name="input">Of the model's input shape.</param>
    /// <param name="labels">Receives the samples' classes.</param>
    public void Fill(Activation input, int[] labels) => _fill(input, labels);

    private static int Class(float label, string path) => label >= 0 && label == (int)label
        ? (int)label
        : throw ConvNetException.BadInput($"{path}: labels has {label}; classes are numbered 0, 1, 2 ...");

    private static void Copy(ReadOnlySpan<float> images, Activation input, int count)
    {
        (int channels, int height, int width) = input.Shape;
        int next = 0;
        for (int n = 0; n < count; n++)
        {
            for (int c = 0; c < channels; c++)
            {
                for (int pixel = 0; pixel < height * width; pixel++)
                {
                    input[n, c, pixel / width, pixel % width] = images[next++];
                }
            }
        }
    }
}
