using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelPresetsTests
{
    [Theory]
    [InlineData("lenet", 61_706, 10)]
    [InlineData("fashion-cnn", 155_626, 11)]
    [InlineData("resnet20", 272_474, 65)]
    [InlineData("vgg11-bn", 9_228_362, 26)]
    public void Presets_have_the_tensors_of_the_torch_networks(string preset, int parameters, int tensors)
    {
        var model = new Model(ModelPresets.Find(preset)!, BatchNormMode.Sync);
        Assert.Equal(parameters, model.Parameters.Sum(parameter => parameter.Count));
        Assert.Equal(tensors, model.Parameters.Count);
        Assert.Equal(10, model.Classes);
    }
}
