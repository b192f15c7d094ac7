using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class QuietViewTests
{
    [Fact]
    public void Only_answers_and_the_error_are_shown()
    {
        using var error = new StringWriter();
        using var view = new QuietView(error);

        ShownRun.Show(view);
        ShownRun.ShowTrouble(view);

        Assert.Equal(["Finishing the step", "error: diverged"], error.ToString().TrimEnd().Split(Environment.NewLine));
    }
}
