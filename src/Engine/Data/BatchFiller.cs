using System.Runtime.CompilerServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Data;

/// <summary>Writes samples of an image set into a model's input: normalized, augmented, padded, the grey channel repeated.</summary>
public sealed unsafe class BatchFiller
{
    private readonly ImageSet _set;
    private readonly InputAdapter _adapter;
    private readonly Augmentation? _augmentation;
    private readonly float[][] _tables;

    /// <param name="augmentation">Null for evaluation.</param>
    /// <exception cref="ConvNetException">
    /// The images are not those that the adapter is for, or the augmentation does not suit them (exit code 3).
    /// </exception>
    public BatchFiller(ImageSet set, InputAdapter adapter, Augmentation? augmentation)
    {
        if (set.Shape != adapter.Image)
        {
            throw ConvNetException.BadInput(
                $"The images are {set.Shape}, but the model was set up for images of {adapter.Image}. Use the data set that it was " +
                "trained on, or one of the same shape.");
        }

        augmentation?.Validate(adapter.Model);
        _set = set;
        _adapter = adapter;
        _augmentation = augmentation;
        _tables = adapter.Tables();
    }

    /// <summary>Writes sample i of <paramref name="samples"/> into slot i.</summary>
    /// <param name="epoch">Keys the augmentation.</param>
    /// <param name="samples">Indices in the image set.</param>
    /// <param name="destination">Of the adapter's model shape, with room for all samples.</param>
    /// <param name="labels">Receives the samples' classes.</param>
    public void Fill(ulong seed, int epoch, ReadOnlySpan<int> samples, Activation destination, Span<int> labels)
    {
        for (int slot = 0; slot < samples.Length; slot++)
        {
            labels[slot] = FillSample(seed, epoch, samples[slot], destination, slot);
        }
    }

    /// <summary>Writes one sample into one slot and returns its class. Threads may fill different slots at the same time.</summary>
    public int FillSample(ulong seed, int epoch, int sample, Activation destination, int slot)
    {
        if (destination.Shape != _adapter.Model || (uint)slot >= (uint)destination.Capacity)
        {
            throw new ArgumentException(
                $"Slot {slot} of {destination.Capacity} x {destination.Shape} is no place for an input of {_adapter.Model}.",
                nameof(destination));
        }

        destination.SampleSpan(slot).Clear();
        Augmentation.Draw draw = _augmentation?.For(seed, epoch, sample) ?? default;
        ReadOnlySpan<byte> image = _set.Image(sample);
        for (int c = 0; c < _adapter.Model.C; c++)
        {
            int source = _adapter.RepeatsChannel ? 0 : c;
            Write(image.Slice(source * _adapter.Image.Area, _adapter.Image.Area), _tables[source], destination, slot, c, draw);
        }

        return _set.Labels[sample];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Write(ReadOnlySpan<byte> plane, float[] table, Activation destination, int slot, int c, Augmentation.Draw draw)
    {
        (int _, int height, int width) = _adapter.Image;
        int modelWidth = _adapter.Model.W;

        // Pixel (y, x) of the image lies at (y + top, x + left) of the window, which cuts off what lies outside.
        int top = _adapter.PadH - draw.Rows;
        int left = _adapter.PadW - draw.Columns;
        int firstX = Math.Max(0, -left), endX = Math.Min(width, modelWidth - left);
        int firstY = Math.Max(0, -top), endY = Math.Min(height, _adapter.Model.H - top);
        for (int y = firstY; y < endY; y++)
        {
            float* row = destination.Data + destination.Index(slot, c, y + top, 0);
            ReadOnlySpan<byte> pixels = plane.Slice(y * width, width);
            for (int x = firstX; x < endX; x++)
            {
                int w = draw.Flip ? modelWidth - 1 - (x + left) : x + left;
                row[w << 3] = table[pixels[x]];
            }
        }
    }
}
