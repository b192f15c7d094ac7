using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public sealed class ClassMatchTests
{
    private static readonly ImageSet Set = new(new Shape(1, 1, 1), [10, 20, 30], [0, 1, 0], ["bee", "cat"]);

    [Fact]
    public void Labels_become_those_of_the_model_by_name()
    {
        ImageSet matched = ClassMatch.ByName(Set, ["ant", "cat", "bee"], "x");
        Assert.Equal([2, 1, 2], matched.Labels.ToArray());
        Assert.Equal([10, 20, 30], matched.Pixels[0].ToArray());
        Assert.Equal(["ant", "cat", "bee"], matched.ClassNames);
    }

    [Fact]
    public void A_class_that_the_model_does_not_know_is_refused_with_both_lists()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => ClassMatch.ByName(Set, ["ant", "cat", "zebra"], "x"));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("does not know the class bee. The data have bee, cat; the model was trained on ant, cat, zebra", error.Message);
    }

    [Fact]
    public void Colour_becomes_grey_by_the_usual_weights_and_grey_is_repeated()
    {
        var color = new ImageSet(new Shape(3, 1, 2), [255, 10, 0, 20, 0, 30], [0], ["a"]);
        ImageSet grey = GreyImages.Convert(color, 1);
        Assert.Equal(new Shape(1, 1, 2), grey.Shape);
        Assert.Equal([76, 18], grey.Pixels[0].ToArray());
        Assert.Equal([76, 18, 76, 18, 76, 18], GreyImages.Convert(grey, 3).Pixels[0].ToArray());
    }
}
