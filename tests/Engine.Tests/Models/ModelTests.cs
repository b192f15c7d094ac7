using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelTests
{
    [Theory]
    [InlineData("lenet", 61_706, 10)]
    [InlineData("fashion-cnn", 155_626, 11)]
    [InlineData("resnet20", 272_474, 65)]
    [InlineData("vgg11-bn", 9_228_362, 26)]
    public void Presets_have_the_tensors_of_the_torch_networks(string preset, int parameters, int tensors)
    {
        using var network = new Network(ModelFile.Load(preset));
        Assert.Equal(parameters, network.Parameters.Sum(parameter => parameter.Count));
        Assert.Equal(tensors, network.Parameters.Count);
        Assert.Equal(10, network.Classes);
    }

    [Fact]
    public void Tensors_of_a_residual_block_are_named_as_in_torch()
    {
        using var network = new Network(ModelFile.Load("resnet20"));
        string[] names = [.. network.Parameters.Select(parameter => parameter.ToString())];
        Assert.Contains("6.main.0.weight [32, 16, 3, 3]", names);
        Assert.Contains("6.shortcut.0.weight [32, 16, 1, 1]", names);
        Assert.Contains("6.shortcut.1.bias [32]", names);
        Assert.Equal("14.weight [10, 64]", names[^2]);
        Assert.Equal([.. Enumerable.Range(0, network.Layers.Count)], network.Layers.Select(layer => layer.Index));
    }

    [Theory]
    [InlineData("lenet")]
    [InlineData("fashion-cnn")]
    [InlineData("resnet20")]
    [InlineData("vgg11-bn")]
    public void A_model_written_as_JSON_reads_back_as_the_same_model(string preset)
    {
        string json = ModelFile.Write(ModelFile.Load(preset));
        Assert.Equal(json, ModelFile.Write(ModelFile.Parse(json)));
    }

    [Fact]
    public void Every_layer_type_and_option_survives_a_round_trip()
    {
        const string Json = """
            {"name":"all","input":[4,9,9],"layers":[
              {"type":"conv","out":8,"kernel":[3,1],"stride":1,"padding":"same","dilation":2,"groups":2,"bias":true},
              {"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":3,"stride":2},{"type":"avgPool","size":2,"stride":1,"padding":1},
              {"type":"locallyConnected","out":6,"kernel":2,"stride":2,"rounding":"floor","bias":true},
              {"type":"layerNorm"},{"type":"instanceNorm"},{"groups":3,"type":"groupNorm"},{"type":"dropout","rate":0.25},
              {"type":"residual","main":[{"type":"conv","out":6,"kernel":1}]},
              {"type":"globalAvgPool"},{"type":"flatten"},{"type":"fullyConnected","out":3}]}
            """;
        ModelSpec spec = ModelFile.Parse(Json);
        var convolution = Assert.IsType<ConvolutionSpec>(spec.Layers[0]);
        Assert.Equal(new Size(3, 1), convolution.Kernel);
        Assert.True(convolution.Padding.IsSame);
        Assert.Equal(0.25, Assert.IsType<DropoutSpec>(spec.Layers[9]).Rate);
        Assert.Null(Assert.IsType<ResidualSpec>(spec.Layers[10]).Shortcut);
        Assert.Equal(14, spec.Layers.Count);
        string written = ModelFile.Write(spec);
        Assert.Contains("\"padding\": \"same\"", written);
        Assert.Equal(written, ModelFile.Write(ModelFile.Parse(written)));
    }

    [Theory]
    [InlineData("""{"type":"convv","out":1,"kernel":1}""", "$.layers[0]", "Did you mean 'conv'?")]
    [InlineData("""{"type":"conv","out":1,"kernal":1}""", "unknown key \"kernal\"", "Did you mean 'kernel'?")]
    [InlineData("""{"type":"relu","foo":1}""", "unknown key \"foo\"", "known: type.")]
    [InlineData("""{"out":1}""", "needs a \"type\"", "known: conv")]
    [InlineData("""{"type":"conv","out":1}""", "kernel", "line 1")]
    [InlineData("""{"type":"conv","out":"x","kernel":1}""", "$.layers[0]", "line 1")]
    [InlineData("""{"type":"conv","out":1,"kernel":[1,2,3]}""", "number or [height, width]", "line 1")]
    [InlineData("""{"type":"residual","main":[{"type":"rleu"}]}""", "$.layers[0].main[0]", "Did you mean 'relu'?")]
    [InlineData("""{"type":"conv","out":4,"kernel":3,"groups":3}""", "groups 3 must divide", "4 output channels")]
    [InlineData("""{"type":"fullyConnected","out":4}""", "needs a flat input", "1x28x28")]
    [InlineData("""{"type":"dropout","rate":1}""", "rate 1", "below 1")]
    [InlineData("""{"type":"conv","out":1000000,"kernel":1}""", "volume", "allowed")]
    [InlineData("""{"type":"maxPool","size":2,"padding":2}""", "more than half", "at most 1")]
    [InlineData("""{"type":"residual","main":[{"type":"maxPool","size":2}]}""", "main gives 1x14x14 but the shortcut 1x28x28", "1x1")]
    public void A_bad_layer_is_refused_with_its_place_and_a_remedy(string layer, string place, string remedy)
    {
        string json = $$"""{"name":"bad","input":[1,28,28],"layers":[{{layer}}]}""";
        ConvNetException error = Assert.Throws<ConvNetException>(() => ModelFile.Parse(json));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(place, error.Message);
        Assert.Contains(remedy, error.Message);
    }

    [Fact]
    public void An_unknown_preset_suggests_a_near_one()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => ModelFile.Load("resnet2"));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("Did you mean 'resnet20'?", error.Message);
    }

    [Fact]
    public void A_model_file_that_is_too_large_or_too_deep_is_refused()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, new string(' ', ModelFile.MaxBytes + 1));
            Assert.Contains("more than the", Assert.Throws<ConvNetException>(() => ModelFile.Load(path)).Message);
            File.WriteAllText(path, new string('[', 40) + new string(']', 40));
            Assert.Contains("depth", Assert.Throws<ConvNetException>(() => ModelFile.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_model_without_one_value_per_class_is_refused()
    {
        ModelSpec spec = ModelFile.Parse("""{"name":"open","input":[1,4,4],"layers":[{"type":"relu"}]}""");
        Assert.Contains("Cx1x1", Assert.Throws<ConvNetException>(() => new Network(spec)).Message);
    }

    [Fact]
    public void The_planning_table_adds_up()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(ModelFile.Load("vgg11-bn"));
        Assert.Equal(9_228_362, rows.Sum(row => row.Parameters));
        Assert.Equal(1.0, rows.Sum(row => row.Share), 6);
        Assert.Equal("(32 - 3 + 2*1)/1 + 1 = 32", rows[0].Arithmetic);
        Assert.Equal(2L * 27 * 64 * 32 * 32, rows[0].Flops);
        Assert.Equal(new Size(150, 150), rows[^3].ReceptiveField);
        Assert.True(rows.Where(row => row.Type == "conv").Sum(row => row.Share) > 0.97);
    }

    [Fact]
    public void A_fully_connected_layer_sees_every_pixel_that_was_flattened()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(ModelFile.Load("lenet"));
        Assert.Equal(new Size(16, 16), rows[6].ReceptiveField);
        Assert.Equal("16*5*5 = 400", rows[6].Arithmetic);
        Assert.Equal(new Size(32, 32), rows[7].ReceptiveField);
        Assert.Equal(new Size(32, 32), rows[^1].ReceptiveField);
    }

    [Fact]
    public void The_planning_table_follows_both_branches_of_a_residual_block()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(ModelFile.Load("resnet20"));
        ModelRow block = rows.Single(row => row.Name == "6");
        Assert.Equal("residual", block.Type);
        Assert.Equal(new Shape(32, 16, 16), block.Output);
        Assert.Equal(new Size(21, 21), block.ReceptiveField);
        Assert.Contains(rows, row => row.Name == "6.shortcut.0" && row.ReceptiveField == new Size(15, 15));
    }

    [Fact]
    public void A_single_value_per_channel_is_refused_when_planning()
    {
        ModelSpec spec = ModelFile.Parse(
            """{"name":"one","input":[3,1,1],"layers":[{"type":"batchNorm"},{"type":"fullyConnected","out":2}]}""");
        Assert.Contains("single value per channel", Assert.Throws<ConvNetException>(() => ModelTable.CheckBatch(spec, 1)).Message);
        Assert.Throws<ConvNetException>(() => ModelTable.CheckBatch(spec, 4, BatchNormMode.Shard, 4));
        ModelTable.CheckBatch(spec, 4);
    }

    [Fact]
    public void Initialization_has_the_variance_of_He_and_of_Xavier_and_depends_on_layer_and_seed()
    {
        using var network = new Network(ModelFile.Load("vgg11-bn"));
        Parameter weight = network.Parameters.Single(parameter => parameter.Name == "8.weight");
        Assert.Equal(2.0 / (128 * 9), Variance(InitializationKind.He, 1), 2.0 / (128 * 9) * 0.02);
        Assert.Equal(2.0 / ((128 + 256) * 9), Variance(InitializationKind.Xavier, 1), 2.0 / (384 * 9) * 0.02);
        Assert.NotEqual(Variance(InitializationKind.He, 1), Variance(InitializationKind.He, 2));
        Parameter gamma = network.Parameters.Single(parameter => parameter.Name == "9.weight");
        var values = new float[gamma.Count];
        Initialization.Fill(gamma, 1, InitializationKind.He, values);
        Assert.All(values, value => Assert.Equal(1, value));

        double Variance(InitializationKind kind, ulong seed)
        {
            var weights = new float[weight.Count];
            Initialization.Fill(weight, seed, kind, weights);
            return weights.Average(value => (double)value * value);
        }
    }
}
