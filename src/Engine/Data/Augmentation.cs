using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Numerics;

namespace ConvNet.Engine.Data;

/// <summary>
/// Random changes to training images. Each sample's are drawn from its own stream, keyed by (seed, epoch, sample): first the row offset and
/// the column offset if <paramref name="PadCrop"/> is not 0, then the flip if it is on.
/// </summary>
/// <param name="PadCrop">
/// Pixels P of zeros around the normalized model input, from which a window of the original size is cut at random: 0 means off.
/// </param>
/// <param name="Flip">Mirror left and right with probability ½, after the crop.</param>
public sealed record Augmentation(int PadCrop = 0, bool Flip = false)
{
    /// <summary>What happens to one sample: the window moves down by <see cref="Rows"/> and right by <see cref="Columns"/>.</summary>
    internal readonly record struct Draw(int Rows, int Columns, bool Flip);

    internal Draw For(ulong seed, int epoch, int sample)
    {
        PhiloxStream random = Philox.Augmentation(seed, epoch, sample);
        int rows = 0, columns = 0;
        if (PadCrop > 0)
        {
            rows = random.NextBelow((2 * PadCrop) + 1) - PadCrop;
            columns = random.NextBelow((2 * PadCrop) + 1) - PadCrop;
        }

        return new Draw(rows, columns, Flip && random.NextUInt() >= 1u << 31);
    }

    /// <summary>Checks the values against a model's input.</summary>
    /// <exception cref="ConvNetException">The padding is negative or as large as the input (exit code 3).</exception>
    public void Validate(Shape model)
    {
        if (PadCrop < 0 || PadCrop >= Math.Min(model.H, model.W))
        {
            throw ConvNetException.BadInput(
                $"Pad-crop of {PadCrop} pixels does not suit an input of {model}. It must lie in 0 … {Math.Min(model.H, model.W) - 1}.");
        }
    }
}
