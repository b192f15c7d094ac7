using System.Text.Json.Nodes;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Configuration;

/// <summary>Writes all settings as one JSON object of dotted keys.</summary>
public static class ConfigurationJson
{
    public static string Write(TrainConfiguration configuration) => new JsonObject(ConfigurationKeys.All.Select(key =>
        KeyValuePair.Create(key.Path, Value(key.Get(configuration))))).ToJsonString();

    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        string text => JsonValue.Create(text),
        long whole => JsonValue.Create(whole),
        bool flag => JsonValue.Create(flag),
        object number => JsonLines.Number((double)number),
    };
}
