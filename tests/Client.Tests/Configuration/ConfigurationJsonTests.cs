using System.Text.Json;
using ConvNet.Client.Configuration;
using Xunit;

namespace ConvNet.Client.Tests.Configuration;

public sealed class ConfigurationJsonTests
{
    [Fact]
    public void Every_option_is_there_with_its_type()
    {
        var configuration = new TrainConfiguration { Model = "nets/o'brien-ü.json" };

        JsonElement options = JsonDocument.Parse(ConfigurationJson.Write(configuration)).RootElement;

        Assert.Equal("nets/o'brien-ü.json", options.GetProperty("model").GetString());
        Assert.Equal(JsonValueKind.Null, options.GetProperty("data.size").ValueKind);
        Assert.Equal(64, options.GetProperty("train.batch").GetInt64());
        Assert.Equal(0.01, options.GetProperty("optimizer.learningRate").GetDouble());
        Assert.True(options.GetProperty("optimizer.nesterov").GetBoolean());
        Assert.Equal(ConfigurationKeys.All.Select(key => key.Path), options.EnumerateObject().Select(option => option.Name));
    }
}
