using System.Globalization;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Geometry;

/// <summary>
/// A window that slides along one axis: F = <paramref name="Kernel"/> taps that lie <paramref name="Dilation"/> apart.
/// The only code that divides to get an output size.
/// </summary>
/// <param name="Input">W, without padding.</param>
/// <param name="Output">(W − F' + 2P)/S + 1 with F' = D(F − 1) + 1.</param>
public readonly record struct Window(int Input, int Kernel, int Stride, int Padding, int Dilation, int Output)
{
    /// <summary>Keeps every product of two sizes within 32 bits.</summary>
    public const int MaxSize = 1 << 15;

    /// <summary>F': input positions from the first tap to the last.</summary>
    public int Extent => Dilation * (Kernel - 1) + 1;

    /// <summary>"(28 - 3 + 2*1)/1 + 1 = 28".</summary>
    public string Arithmetic => Formula(Input, Extent, Padding, Stride);

    /// <summary>The first output whose given tap lies inside the input; may be past <see cref="EndOutput"/>.</summary>
    public int FirstOutput(int tap)
    {
        int missing = Padding - tap * Dilation;
        return missing <= 0 ? 0 : Math.Min(Output, (missing + Stride - 1) / Stride);
    }

    /// <summary>One past the last output whose given tap lies inside the input.</summary>
    public int EndOutput(int tap)
    {
        int room = Input - 1 + Padding - tap * Dilation;
        return room < 0 ? 0 : Math.Min(Output, room / Stride + 1);
    }

    /// <summary>The input position under a tap; inside the input only between First- and EndOutput.</summary>
    public int Position(int output, int tap) => output * Stride - Padding + tap * Dilation;

    /// <summary>Both axes of a window over <paramref name="input"/>, or an error that shows the arithmetic and valid choices.</summary>
    /// <param name="layer">The layer as error messages call it, e.g. "layer '3' (conv)".</param>
    public static (Window H, Window W) Fit(
        string layer, Shape input, Size kernel, Size stride, Padding padding, Size dilation, Rounding rounding) =>
        (Fit($"{layer}: output height", input, input.H, kernel.H, stride.H, padding, padding.Amount.H, dilation.H, rounding),
        Fit($"{layer}: output width", input, input.W, kernel.W, stride.W, padding, padding.Amount.W, dilation.W, rounding));

    private static Window Fit(
        string what, Shape volume, int input, int kernel, int stride, Padding mode, int padding, int dilation, Rounding rounding)
    {
        if (Math.Min(kernel, Math.Min(stride, dilation)) < 1 || padding < 0
            || Math.Max(Math.Max(kernel, stride), Math.Max(padding, dilation)) > MaxSize)
        {
            throw ConvNetException.BadInput(
                $"{what}: kernel {kernel}, stride {stride} and dilation {dilation} must be 1 ... {MaxSize}, and padding {padding} 0 ... {MaxSize}.");
        }

        if (mode.IsSame)
        {
            if (stride != 1 || kernel % 2 == 0)
            {
                throw ConvNetException.BadInput(
                    $"{what}: padding \"same\" needs stride 1 and an odd kernel, but the stride is {stride} and the kernel {kernel}; " +
                    "give the padding as a number.");
            }

            padding = dilation * (kernel - 1) / 2;
        }

        long extent = (long)dilation * (kernel - 1) + 1;
        long span = input - extent + 2L * padding;
        if (span < 0)
        {
            throw ConvNetException.BadInput(
                $"{what} would be below 1: the window covers {extent} positions, but input {volume} has {input} + 2*{padding} padded ones. " +
                $"Use a kernel of at most {(input + 2 * padding - 1) / dilation + 1} or a padding of at least {(extent - input + 1) / 2}.");
        }

        if (span % stride != 0 && rounding == Rounding.Exact)
        {
            var asked = new Window(input, kernel, stride, padding, dilation, (int)(span / stride) + 1);
            throw ConvNetException.BadInput(
                $"{what} is not an integer: {asked.Arithmetic}. Input {volume}, kernel {kernel}, stride {stride}, padding {padding}, " +
                $"dilation {dilation}. Valid: {asked.Alternatives()}. Rounding.Floor (\"rounding\":\"floor\") would ignore the last " +
                $"{span % stride} of the padded input and give {asked.Output}.");
        }

        return new Window(input, kernel, stride, padding, dilation, (int)(span / stride) + 1);
    }

    private static string Formula(long input, long extent, long padding, long stride)
    {
        double exact = (input - extent + 2 * padding) / (double)stride + 1;
        return string.Create(CultureInfo.InvariantCulture, $"({input} - {extent} + 2*{padding})/{stride} + 1 = {exact:0.###}");
    }

    /// <summary>The nearest kernel, padding and stride that make the size an integer, each by itself; both if two are equally near.</summary>
    private string Alternatives()
    {
        Window asked = this;
        var found = new List<string>();
        Add("kernel", Kernel, 1, kernel => asked with { Kernel = kernel });
        Add("padding", Padding, 0, padding => asked with { Padding = padding });
        Add("stride", Stride, 1, stride => asked with { Stride = stride });
        return string.Join(", ", found);

        void Add(string name, int value, int least, Func<int, Window> change)
        {
            int before = found.Count;
            for (int distance = 1; distance <= Math.Max(value, asked.Stride) && found.Count == before; distance++)
            {
                foreach (int candidate in new[] { value - distance, value + distance })
                {
                    if (candidate < least)
                    {
                        continue;
                    }

                    Window changed = change(candidate);
                    int span = changed.Input - changed.Extent + 2 * changed.Padding;
                    if (span >= 0 && span % changed.Stride == 0)
                    {
                        found.Add($"{name} {candidate} (size {span / changed.Stride + 1})");
                    }
                }
            }
        }
    }
}
