using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelFormatTests
{
    [Theory]
    [InlineData("""{"type":"convv","out":1,"kernel":1}""", "model, layers[0]: unknown layer type \"convv\"", "Did you mean 'conv'?")]
    [InlineData("""{"type":"conv","out":1,"kernal":1}""", "layers[0] (conv): unknown key \"kernal\"", "Did you mean 'kernel'?")]
    [InlineData("""{"type":"relu","foo":1}""", "unknown key \"foo\"", "known: type.")]
    [InlineData("""{"out":1}""", "layers[0]: a layer needs a \"type\"", "known: conv")]
    [InlineData("""{"type":5}""", "layers[0]: \"type\" is 5", "one of \"conv\", \"batchNorm\"")]
    [InlineData("null", "layers[0]: a layer is an object such as {\"type\":\"relu\"}, not null.", "")]
    [InlineData("[]", "layers[0]: a layer is an object", "not an empty list.")]
    [InlineData("""{"type":"conv","out":1}""", "layers[0] (conv): \"kernel\" is missing", "a conv needs \"out\" and \"kernel\".")]
    [InlineData("""{"type":"fullyConnected"}""", "\"out\" is missing", "a fullyConnected needs \"out\".")]
    [InlineData("""{"type":"conv","out":"8","kernel":1}""", "\"out\" is \"8\"", "a whole number, without quotes.")]
    [InlineData("""{"type":"conv","out":8,"kernel":3.0}""", "\"kernel\" is 3.0", "a whole number or [height, width], in digits only")]
    [InlineData("""{"type":"conv","out":99999999999,"kernel":1}""", "\"out\" is 99999999999", "at most 2147483647.")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"bias":"true"}""", "\"bias\" is \"true\"", "it must be true or false.")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"rounding":"ceil"}""", "\"rounding\" is \"ceil\"", "it must be \"exact\" or \"floor\".")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"rounding":"Flor"}""", "\"rounding\" is \"Flor\"", "Did you mean 'floor'?")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"padding":"valid"}""", "\"padding\" is \"valid\"", "or [height, width] or \"same\"")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"stride":null}""", "\"stride\" is null", "leave out a key that has no value")]
    [InlineData("""{"type":"conv","out":1,"kernel":[1,2,3]}""", "\"kernel\" is [1,2,3]", "a whole number or [height, width]")]
    [InlineData("""{"type":"dropout","rate":1e999}""", "\"rate\" is 1e999", "a number, not too large for one")]
    [InlineData("""{"type":"conv","out":1,"kernel":1,"out":2}""", "model, layers[0]: the key \"out\" is given twice.", "")]
    [InlineData("""{"type":"relu\ud800"}""", "layers[0].type: a text has half a character", "")]
    [InlineData("""{"type":"relu","\udc00":1}""", "layers[0]: a text has half a character", "")]
    [InlineData("""{"type":"relu\u0000"}""", "layers[0].type: a text holds a NUL", "")]
    [InlineData("""{"type":"residual","main":[{"type":"rleu"}]}""", "layers[0].main[0]", "Did you mean 'relu'?")]
    [InlineData("""{"type":"residual","main":[null]}""", "layers[0].main[0]: a layer is an object", "not null")]
    [InlineData("""{"type":"residual","main":[{"type":"conv","out":1}]}""", "layers[0].main[0] (conv): \"kernel\" is missing", "")]
    [InlineData("""{"type":"residual","main":{"type":"relu"}}""", "layers[0] (residual): \"main\" is an object {...}", "a list of layers")]
    [InlineData("""{"type":"residual","main":[{"type":"relu"}],"shortcut":null}""", "\"shortcut\" is null", "a list of layers")]
    public void A_bad_layer_is_refused_with_its_place_and_the_valid_values(string layer, string fault, string valid)
    {
        string json = $$"""{"name":"bad","input":[1,28,28],"layers":[{{layer}}]}""";
        ConvNetException error = Assert.Throws<ConvNetException>(() => ModelFile.Parse(json));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(fault, error.Message);
        Assert.Contains(valid, error.Message);
    }

    [Theory]
    [InlineData("", "model is empty")]
    [InlineData("null", "model: a model is an object {\"name\":...,\"input\":[c,h,w],\"layers\":[...]}, not null.")]
    [InlineData("[]", "not an empty list.")]
    [InlineData("""{"name":"m","input":[1,28,28]}""", "model: \"layers\" is missing; a model needs \"name\", \"input\" and \"layers\".")]
    [InlineData("""{"name":"m","input":[1,28],"layers":[]}""", "\"input\" is [1,28]; it must be [channels, height, width]")]
    [InlineData("""{"name":"m","input":[1,28,28],"layers":[]}""", "\"layers\" is an empty list")]
    [InlineData("""{"name":3,"input":[1,28,28],"layers":[]}""", "\"name\" is 3; it must be a text.")]
    [InlineData("""{"type":"conv","name":"m","input":[1,28,28],"layers":[{"type":"relu"}]}""", "unknown key \"type\"; known: name, input, layers.")]
    [InlineData("""{"name":"a","name":"b"}""", "model, at the top: the key \"name\" is given twice.")]
    [InlineData("{\"name\":\"m\",\n \"é\":x}", "line 2, column 6: not valid JSON: 'x' is not expected here.")]
    [InlineData("{\"name\":\"m\",}", "column 13: not valid JSON: '}' is not expected here, is there a comma too many before it.")]
    [InlineData("{\"name\":\"m\"", "the text ends before everything is closed.")]
    [InlineData("{'name':1}", "column 2: not valid JSON: ''' is not expected here, texts stand in double quotes.")]
    [InlineData("{} {}", "column 4: not valid JSON: '{' is not expected here.")]
    public void A_bad_model_is_refused_in_the_words_of_the_format(string json, string message)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => ModelFile.Parse(json));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Layers_are_counted_in_residual_blocks_too()
    {
        string inner = string.Join(",", Enumerable.Repeat("""{"type":"relu"}""", ModelFile.MaxLayers));
        string json = $$"""{"name":"m","input":[1,28,28],"layers":[{"type":"residual","main":[{{inner}}]}]}""";
        string message = Assert.Throws<ConvNetException>(() => ModelFile.Parse(json)).Message;
        Assert.Contains("layers[0].main[999]: this is layer 1001", message);
    }

    [Fact]
    public void A_layer_that_does_not_fit_is_refused_with_the_name_of_the_file()
    {
        const string Json = """{"name":"m","input":[1,28,28],"layers":[{"type":"fullyConnected","out":3}]}""";
        string message = Assert.Throws<ConvNetException>(() => ModelFile.Parse(Json, "model file 'm.json'")).Message;
        Assert.StartsWith("model file 'm.json', layer '0' (fullyConnected) needs a flat input", message);
    }
}
