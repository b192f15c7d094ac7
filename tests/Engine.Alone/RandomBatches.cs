using ConvNet.Engine.Data;

namespace ConvNet.Engine.Alone;

/// <summary>Batches of images that look like noise and are the same in every run.</summary>
internal sealed class RandomBatches
{
    private const int Seed = 1;

    private readonly BatchFiller _filler;
    private readonly int[] _labels;
    private readonly int[] _samples;

    public RandomBatches(Network network, int batch)
    {
        Shape shape = network.Spec.Input;
        PhiloxStream random = Philox.Stream(Seed, Purpose.Shuffle, 0, 0);
        byte[] pixels = new byte[batch * shape.Count];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)random.NextUInt();
        }

        _labels = new int[batch];
        _samples = [.. Enumerable.Range(0, batch)];
        double[] half = [.. Enumerable.Repeat(0.5, shape.C)];
        int[] classes = [.. _samples.Select(sample => sample % network.Classes)];
        var images = new ImageSet(shape, pixels, classes, [.. Enumerable.Range(0, network.Classes).Select(label => $"{label}")]);
        _filler = new BatchFiller(images, InputAdapter.For(shape, half, half, shape), new Augmentation(PadCrop: 2, Flip: true));
    }

    /// <summary>One step on the batch, augmented anew.</summary>
    public void Train(LocalTraining training, Network network)
    {
        _filler.Fill(Seed, (int)training.Steps, _samples, network.Input(_samples.Length), _labels);
        training.Step(_labels, _samples);
    }
}
