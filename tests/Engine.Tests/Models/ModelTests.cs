using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelTests
{
    [Fact]
    public void Tensors_of_a_residual_block_are_named_as_in_torch()
    {
        var model = new Model(ModelFile.Load("resnet20"), BatchNormMode.Sync);
        string[] names = [.. model.Parameters.Select(parameter => parameter.ToString())];
        Assert.Contains("6.main.0.weight [32, 16, 3, 3]", names);
        Assert.Contains("6.shortcut.0.weight [32, 16, 1, 1]", names);
        Assert.Contains("6.shortcut.1.bias [32]", names);
        Assert.Equal("14.weight [10, 64]", names[^2]);
        Assert.Equal([.. Enumerable.Range(0, model.Layers.Count)], model.Layers.Select(layer => layer.Index));
    }

    [Fact]
    public void A_model_without_one_value_per_class_is_refused()
    {
        ModelSpec spec = ModelFile.Parse("""{"name":"open","input":[1,4,4],"layers":[{"type":"relu"}]}""");
        Assert.Contains("Cx1x1", Assert.Throws<ConvNetException>(() => new Model(spec, BatchNormMode.Sync)).Message);
    }

    [Fact]
    public void A_single_value_per_channel_is_refused_when_planning()
    {
        ModelSpec spec = ModelFile.Parse(
            """{"name":"one","input":[3,1,1],"layers":[{"type":"batchNorm"},{"type":"fullyConnected","out":2}]}""");
        Assert.Contains("single value per channel", Assert.Throws<ConvNetException>(() => new Model(spec, BatchNormMode.Sync).CheckBatch(1)).Message);
        Assert.Throws<ConvNetException>(() => new Model(spec, BatchNormMode.Shard).CheckBatch(4, dataShards: 4));
        new Model(spec, BatchNormMode.Sync).CheckBatch(4);
        new Model(spec, BatchNormMode.Sync).CheckBatch(4, dataShards: 4);
        new Model(spec, BatchNormMode.Shard).CheckBatch(8, dataShards: 4);
    }
}
