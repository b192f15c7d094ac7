using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using Xunit;

namespace ConvNet.Engine.Tests.Geometry;

public class WindowTests
{
    [Fact]
    public void A_size_that_is_not_an_integer_is_refused_with_arithmetic_and_valid_choices()
    {
        var spec = new ConvolutionSpec { Out = 16, Kernel = 3, Stride = 2 };
        ConvNetException error = Assert.Throws<ConvNetException>(() => spec.OutputShape(new Shape(16, 28, 28), "4"));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("layer '4' (conv): output height is not an integer: (28 - 3 + 2*0)/2 + 1 = 13.5", error.Message);
        Assert.Contains("kernel 2 (size 14)", error.Message);
        Assert.Contains("stride 1 (size 26)", error.Message);
        Assert.Contains("Rounding.Floor", error.Message);
        Assert.Equal(new Shape(16, 13, 13), (spec with { Rounding = Rounding.Floor }).OutputShape(new Shape(16, 28, 28), "4"));
    }

    [Fact]
    public void Every_offered_choice_is_valid()
    {
        for (int input = 5; input < 20; input++)
        {
            for (int kernel = 1; kernel < 6; kernel++)
            {
                for (int stride = 2; stride < 5; stride++)
                {
                    CheckChoices(input, kernel, stride);
                }
            }
        }
    }

    [Theory]
    [InlineData(28, 5, 1, 2, 1, 28)]
    [InlineData(32, 3, 2, 1, 1, 16)]
    [InlineData(9, 3, 1, 0, 4, 1)]
    public void Sizes_follow_the_rule(int input, int kernel, int stride, int padding, int dilation, int output)
    {
        (Window rows, _) = Window.Fit("layer", new Shape(1, input, input), kernel, stride, padding, dilation, Rounding.Floor);
        Assert.Equal(output, rows.Output);
    }

    [Fact]
    public void Taps_know_which_outputs_see_the_input()
    {
        var window = new Window(7, 3, 2, 2, 2, 4);
        for (int tap = 0; tap < window.Kernel; tap++)
        {
            int[] inside = [.. Enumerable.Range(0, window.Output).Where(output => window.Position(output, tap) is >= 0 and < 7)];
            Assert.Equal(inside, Enumerable.Range(window.FirstOutput(tap), window.EndOutput(tap) - window.FirstOutput(tap)));
        }
    }

    [Theory]
    [InlineData(3, 2, "needs stride 1")]
    [InlineData(4, 1, "odd kernel")]
    public void Same_padding_needs_stride_1_and_an_odd_kernel(int kernel, int stride, string reason)
    {
        var spec = new ConvolutionSpec { Out = 1, Kernel = kernel, Stride = stride, Padding = Padding.Same };
        Assert.Contains(reason, Assert.Throws<ConvNetException>(() => spec.OutputShape(new Shape(1, 8, 8), "0")).Message);
    }

    [Fact]
    public void Both_neighbours_are_named_when_they_are_equally_near()
    {
        var spec = new MaxPoolSpec { Size = 2, Stride = 2 };
        string message = Assert.Throws<ConvNetException>(() => spec.OutputShape(new Shape(1, 27, 27), "0")).Message;
        Assert.Contains("kernel 1 (size 14), kernel 3 (size 13)", message);
    }

    [Fact]
    public void A_window_larger_than_its_input_is_refused()
    {
        var spec = new MaxPoolSpec { Size = 5 };
        Assert.Contains("below 1", Assert.Throws<ConvNetException>(() => spec.OutputShape(new Shape(1, 4, 4), "0")).Message);
    }

    private static void CheckChoices(int input, int kernel, int stride)
    {
        var shape = new Shape(1, input, input);
        try
        {
            Window.Fit("layer", shape, kernel, stride, 0, 1, Rounding.Exact);
        }
        catch (ConvNetException error) when (error.Message.Contains("Valid: "))
        {
            string valid = error.Message.Split("Valid: ")[1].Split(". Rounding")[0];
            foreach (string choice in valid.Split(", "))
            {
                int value = int.Parse(choice.Split(' ')[1]);
                (Window rows, _) = choice.Split(' ')[0] switch
                {
                    "kernel" => Window.Fit("layer", shape, value, stride, 0, 1, Rounding.Exact),
                    "padding" => Window.Fit("layer", shape, kernel, stride, value, 1, Rounding.Exact),
                    _ => Window.Fit("layer", shape, kernel, value, 0, 1, Rounding.Exact),
                };
                Assert.Contains($"(size {rows.Output})", choice);
            }
        }
        catch (ConvNetException error)
        {
            Assert.Contains("below 1", error.Message);
        }
    }
}
