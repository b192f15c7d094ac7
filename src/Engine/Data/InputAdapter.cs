using System.Globalization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>
/// How a byte image becomes a model's input: x/255, then (x − mean)/std, then zero padding on all sides, then a grey channel repeated.
/// Part of the job, the checkpoint and an export, so that a model always sees the input it was trained on.
/// </summary>
/// <param name="Image">The volume of one image of the data set.</param>
/// <param name="Model">The volume that the model takes.</param>
/// <param name="Mean">One value for each channel of <paramref name="Image"/>, of pixels x/255.</param>
/// <param name="Std">Likewise.</param>
public sealed record InputAdapter(Shape Image, Shape Model, double[] Mean, double[] Std)
{
    /// <summary>Rows of zeros above and below.</summary>
    public int PadH => (Model.H - Image.H) / 2;

    /// <summary>Columns of zeros at the left and at the right.</summary>
    public int PadW => (Model.W - Image.W) / 2;

    public bool RepeatsChannel => Image.C != Model.C;

    /// <summary>The adapter between a data set and a model.</summary>
    /// <exception cref="ConvNetException">The images cannot be adapted (exit code 3).</exception>
    public static InputAdapter For(Dataset data, Shape model) => For(data.Shape, data.Mean, data.Std, model);

    /// <summary>The adapter between images of shape <paramref name="image"/> and a model.</summary>
    /// <exception cref="ConvNetException">The images cannot be adapted (exit code 3).</exception>
    public static InputAdapter For(Shape image, IReadOnlyList<double> mean, IReadOnlyList<double> std, Shape model)
    {
        if (mean.Count != image.C || std.Count != image.C)
        {
            throw ConvNetException.BadInput(
                $"The normalization has {mean.Count} means and {std.Count} standard deviations for images of {image.C} channels. Each " +
                "channel needs one of both.");
        }

        foreach (double value in mean.Concat(std))
        {
            if (!double.IsFinite(value))
            {
                throw ConvNetException.BadInput(
                    $"The normalization contains {value}. Means and standard deviations must be finite numbers.");
            }
        }

        if (std.Any(value => value <= 0))
        {
            throw ConvNetException.BadInput(
                "The normalization has a standard deviation that is not positive. Divide a constant channel by 1 instead.");
        }

        if (image.C != model.C && !(image.C == 1 && model.C == 3))
        {
            throw ConvNetException.BadInput(
                $"Images of {image} don't fit a model that takes {model}: {image.C} channels cannot become {model.C}. Only 1 channel " +
                $"can be repeated to 3; use a model whose input has {image.C} channels, or convert the images (-s data.channels={(model.C == 1 ? 1 : 3)}).");
        }

        if (image.H > model.H || image.W > model.W)
        {
            throw ConvNetException.BadInput(
                $"Images of {image} don't fit a model that takes {model}: they are larger than {model.H}x{model.W}. Use a model with " +
                $"a larger input, or smaller images (-s data.size={model.H}x{model.W} for image folders).");
        }

        int oddH = (model.H - image.H) % 2, oddW = (model.W - image.W) % 2;
        if (oddH != 0 || oddW != 0)
        {
            throw ConvNetException.BadInput(
                $"Images of {image} don't fit a model that takes {model}: {model.H - image.H} rows and {model.W - image.W} columns of " +
                $"padding cannot be split evenly between both sides. Use a model whose input is {model.H + oddH}x{model.W + oddW}.");
        }

        return new InputAdapter(image, model, [.. mean], [.. std]);
    }

    /// <summary>
    /// For each channel and byte, the normalized value: computed in double in the order x/255, − mean, / std; rounded once.
    /// </summary>
    internal float[][] Tables()
    {
        float[][] tables = new float[Image.C][];
        for (int c = 0; c < tables.Length; c++)
        {
            tables[c] = new float[256];
            for (int x = 0; x < 256; x++)
            {
                tables[c][x] = (float)(((x / 255.0) - Mean[c]) / Std[c]);
            }
        }

        return tables;
    }

    /// <summary>One sentence for the console.</summary>
    public string Describe()
    {
        string normalization = $"Pixels are normalized with mean {List(Mean)} and standard deviation {List(Std)}";
        if (PadH == 0 && PadW == 0 && !RepeatsChannel)
        {
            return normalization + ".";
        }

        string padding = PadH == PadW ? $"padded by {PadH} pixels" : $"padded by {PadH} rows and {PadW} columns";
        string repeated = $"the grey channel is repeated {Model.C} times";
        string steps = (PadH > 0 || PadW > 0, RepeatsChannel) switch
        {
            (true, true) => $"are {padding} with zeros after normalization and {repeated}",
            (true, false) => $"are {padding} with zeros after normalization",
            _ => $"go in as they are, but {repeated},",
        };
        return $"{normalization}; {Image} images {steps} to fit {Model}.";
    }

    /// <summary>Equal when shapes and all values are.</summary>
    public bool Equals(InputAdapter? other) =>
        other is not null && Image == other.Image && Model == other.Model
        && Mean.AsSpan().SequenceEqual(other.Mean) && Std.AsSpan().SequenceEqual(other.Std);

    public override int GetHashCode() => HashCode.Combine(Image, Model, Mean[0], Std[0]);

    private static string List(double[] values) =>
        string.Join(", ", values.Select(value => value.ToString("0.0000", CultureInfo.InvariantCulture)));
}
