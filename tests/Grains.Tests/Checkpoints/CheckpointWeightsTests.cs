using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Checkpoints;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public class CheckpointWeightsTests
{
    private const string Json = """
        {"name":"m","input":[1,4,4],"layers":[{"type":"conv","out":2,"kernel":3},{"type":"batchNorm"},{"type":"flatten"},{"type":"fullyConnected","out":3}]}
        """;

    [Fact]
    public void Every_tensor_goes_where_its_name_says()
    {
        var model = new Model(ModelFile.Parse(Json), BatchNormMode.Sync);
        Checkpoint checkpoint = Example(model);

        BatchNormState[] statistics = CheckpointWeights.Load(model, checkpoint, "step-00000007");

        foreach (Parameter parameter in model.Parameters)
        {
            float[] saved = checkpoint.Parameters.Single(tensor => tensor.Name == parameter.Name).Data.ToArray();
            Assert.Equal(saved, parameter.Values[..parameter.Count]);
        }

        Assert.Equal([5f, 6f], statistics.Single().RunningMean);
        Assert.Equal([7f, 8f], statistics.Single().RunningVar);
    }

    [Fact]
    public void All_differences_from_the_model_are_listed_at_once()
    {
        var model = new Model(ModelFile.Parse(Json), BatchNormMode.Sync);
        Checkpoint checkpoint = Example(model);
        checkpoint = checkpoint with
        {
            Parameters =
            [
                .. checkpoint.Parameters.Where(tensor => tensor.Name is not ("0.weight" or "1.bias")),
                new("0.weight", [2, 9], new float[18]),
                new("9.weight", [1], new float[1]),
            ],
        };

        ConvNetException error = Assert.Throws<ConvNetException>(() => CheckpointWeights.Load(model, checkpoint, "step-00000007"));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("step-00000007", error.Message);
        Assert.Contains("0.weight is [2, 9] instead of [2, 1, 3, 3]", error.Message);
        Assert.Contains("1.bias is missing", error.Message);
        Assert.Contains("9.weight is unknown", error.Message);
    }

    private static Checkpoint Example(Model model)
    {
        int next = 0;
        return new Checkpoint(
            new CheckpointState
            {
                NumericsVersion = 1,
                Model = "m",
                Step = 7,
                TotalSteps = 9,
                JobJson = "{}",
                DataSha256 = "",
            },
            [
                .. model.Parameters.Reverse().Select(parameter => new NamedTensor(
                    parameter.Name, parameter.Shape, Enumerable.Range(0, parameter.Count).Select(_ => (float)++next).ToArray())),
            ],
            [new("1.running_var", [2], new[] { 7f, 8f }), new("1.running_mean", [2], new[] { 5f, 6f })],
            [],
            new Dictionary<string, string>());
    }
}
