using ConvNet.Engine.Data;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Training;

namespace ConvNet.Engine.Alone;

/// <summary>Batches of images that look like noise and are the same in every run. Every second one is smaller, as the last one of an epoch.</summary>
internal sealed class RandomBatches
{
    private const int Seed = 1;

    private readonly BatchFiller _filler;
    private readonly int[][] _labels;
    private readonly int[][] _samples;

    public RandomBatches(Network network, int batch)
    {
        Shape shape = network.Model.Spec.Input;
        PhiloxStream random = Philox.Stream(Seed, Purpose.Shuffle, 0, 0);
        byte[] pixels = new byte[batch * shape.Count];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)random.NextUInt();
        }

        int[] sizes = [batch, batch - 3];
        _labels = [.. sizes.Select(size => new int[size])];
        _samples = [.. sizes.Select(size => Enumerable.Range(0, size).ToArray())];
        double[] half = [.. Enumerable.Repeat(0.5, shape.C)];
        int[] classes = [.. _samples[0].Select(sample => sample % network.Model.Classes)];
        var images = new ImageSet(shape, pixels, classes, [.. Enumerable.Range(0, network.Model.Classes).Select(label => $"{label}")]);
        _filler = new BatchFiller(images, InputAdapter.For(shape, half, half, shape), new Augmentation(PadCrop: 2, Flip: true));
    }

    /// <summary>One step on the whole batch or the smaller one in turn, augmented anew.</summary>
    public void Train(LocalTraining training, Network network)
    {
        int[] labels = _labels[training.Steps % 2];
        int[] samples = _samples[training.Steps % 2];
        _filler.Fill(Seed, (int)training.Steps, samples, network.Input(samples.Length), labels);
        training.Step(labels, samples);
    }
}
