using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelFileTests
{
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

    [Fact]
    public void A_name_that_fills_a_screen_is_refused()
    {
        string json = ModelFile.Write(ModelFile.Load("lenet"));
        Assert.Equal(200, ModelFile.Parse(json.Replace("\"lenet\"", $"\"{new string('x', 200)}\"", StringComparison.Ordinal)).Name.Length);
        ConvNetException error = Assert.Throws<ConvNetException>(
            () => ModelFile.Parse(json.Replace("\"lenet\"", $"\"{new string('x', 201)}\"", StringComparison.Ordinal)));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Equal("model: \"name\" has 201 characters; at most 200 fit a screen.", error.Message);
    }

    /// <summary>A checkpoint's job is recognised by its text, model included.</summary>
    [Fact]
    public void Options_are_written_in_one_order_for_ever()
    {
        const string Json = """
            {"name":"m","input":[4,9,9],"layers":[
            {"type":"conv","out":8,"kernel":[3,1],"stride":1,"padding":"same","dilation":2,"groups":2,"bias":true,"rounding":"exact"},
            {"type":"locallyConnected","out":6,"kernel":2,"stride":2,"padding":0,"dilation":1,"bias":true,"rounding":"floor"},
            {"type":"maxPool","size":3,"stride":1,"padding":1,"rounding":"exact"},
            {"type":"avgPool","size":2,"padding":[0,1],"rounding":"floor"}]}
            """;
        string written = ModelFile.Write(ModelFile.Parse(Json));
        Assert.Equal(Json.ReplaceLineEndings(""), string.Concat(written.Where(letter => !char.IsWhiteSpace(letter))));
    }

    [Theory]
    [InlineData("""{"type":"conv","out":1,"x":1}""", "type, out, kernel, stride, padding, dilation, groups, bias, rounding")]
    [InlineData("""{"type":"locallyConnected","out":1,"x":1}""", "type, out, kernel, stride, padding, dilation, bias, rounding")]
    [InlineData("""{"type":"maxPool","x":1}""", "type, size, stride, padding, rounding")]
    [InlineData("""{"type":"avgPool","x":1}""", "type, size, stride, padding, rounding")]
    public void An_unknown_key_is_answered_with_all_keys_of_the_layer(string layer, string keys)
    {
        string json = $$"""{"name":"bad","input":[1,28,28],"layers":[{{layer}}]}""";
        Assert.Contains($"known: {keys}.", Assert.Throws<ConvNetException>(() => ModelFile.Parse(json)).Message);
    }

    [Theory]
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
            Assert.Contains("too deep", Assert.Throws<ConvNetException>(() => ModelFile.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
