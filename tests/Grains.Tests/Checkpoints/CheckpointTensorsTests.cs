using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Grains.Checkpoints;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public sealed class CheckpointTensorsTests
{
    private const string Model =
        """
        {"name":"small","input":[1,4,4],"layers":[{"type":"conv","out":8,"kernel":3,"padding":1,"bias":false},{"type":"batchNorm"},
        {"type":"flatten"},{"type":"fullyConnected","out":10}]}
        """;

    [Fact]
    public void The_model_s_file_has_the_parameters_and_then_the_running_statistics()
    {
        var model = new Model(ModelFile.Parse(Model, "test"), BatchNormMode.Sync);

        IReadOnlyList<(string Name, int[] Shape)> tensors = CheckpointTensors.OfModel(model);

        Assert.Equal(
            ["0.weight", "1.weight", "1.bias", "3.weight", "3.bias", "1.running_mean", "1.running_var"], tensors.Select(tensor => tensor.Name));
        Assert.Equal([8], tensors[^1].Shape);
        Assert.Equal(["1.running_mean", "1.running_var"], tensors.Select(tensor => tensor.Name).Where(CheckpointTensors.IsStatistic));
    }

    [Fact]
    public void The_optimizer_s_file_has_every_slot_of_every_parameter()
    {
        var model = new Model(ModelFile.Parse(Model, "test"), BatchNormMode.Sync);

        IReadOnlyList<(string Name, int[] Shape)> tensors = CheckpointTensors.OfOptimizer(model, new Adam());

        Assert.Equal(new Adam().SlotNames.SelectMany(slot => model.Parameters.Select(p => $"{slot}.{p.Name}")), tensors.Select(tensor => tensor.Name));
        Assert.Equal([8, 1, 3, 3], tensors[0].Shape);
        Assert.Empty(CheckpointTensors.OfOptimizer(model, new Sgd { Momentum = 0 }));
    }
}
