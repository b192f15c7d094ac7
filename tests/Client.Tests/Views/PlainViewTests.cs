using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class PlainViewTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public void A_run_is_a_few_lines_without_escape_codes()
    {
        using PlainView view = View();

        ShownRun.Show(view);

        string[] lines = _output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(
            [
                "fashion-cnn on fashion-mnist-mini",
                "epoch 1/2  step 20  train loss 1.5000  test loss 0.2500  test accuracy 0.8750  99 images/s",
                "Trained 40 steps. Test accuracy 0.8750. State aa.",
                "Evaluate it again:  ./convnet eval /runs/a",
                "Check its files:    ./convnet checkpoint verify /runs/a",
            ],
            lines);
        Assert.Equal("", _error.ToString());
    }

    [Fact]
    public void Trouble_goes_to_standard_error()
    {
        using PlainView view = View();

        ShownRun.ShowTrouble(view);

        Assert.Equal(["warning: step 3 was skipped", "Finishing the step", "error: diverged"], _error.ToString().TrimEnd().Split(Environment.NewLine));
        Assert.Equal("", _output.ToString());
    }

    private PlainView View() => new(new Terminal(_output, _error, IsInteractive: false, UsesColor: false));
}
