using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

/// <summary>Good model files with one mistake each, made with a seed.</summary>
public partial class BadModelFilesTests
{
    private static readonly string[] Needed = ["name", "input", "layers", "type", "out", "kernel", "size", "main"];

    [Fact]
    public void Sixty_bad_model_files_are_refused_in_one_sentence_that_names_the_place()
    {
        var random = new Random(1);
        for (int i = 0; i < 60; i++)
        {
            string json = Spoil(ModelFile.Write(ModelFile.Load(i % 2 == 0 ? "resnet20" : "lenet")), i % 7, random);
            var error = Assert.Throws<ConvNetException>(() => new Model(ModelFile.Parse(json, "model file 'bad.json'"), BatchNormMode.Sync));
            Assert.Equal(ExitCode.BadInput, error.ExitCode);
            Assert.Matches("^model file 'bad.json'(: \"|, (layers|layer|at the top|input))", error.Message);
            Assert.DoesNotMatch(Foreign(), error.Message);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    private static string Spoil(string json, int kind, Random random)
    {
        JsonObject root = JsonNode.Parse(json)!.AsObject();
        (JsonObject Owner, string Key)[] keys = [.. Keys(root)];
        (JsonObject owner, string key) = random.GetItems([.. keys.Where(pair => kind > 0 || Needed.Contains(pair.Key))], 1)[0];
        JsonNode value = owner[key]!.DeepClone();
        switch (kind)
        {
            case 0:
                owner.Remove(key);
                break;
            case 1:
                owner[key] = "DOUBLE";
                return root.ToJsonString().Replace("\"DOUBLE\"", $"{value.ToJsonString()},\"{key}\":{value.ToJsonString()}", StringComparison.Ordinal);
            case 2:
                owner[key] = null;
                break;
            case 3:
                owner[key] = new JsonObject { ["x"] = 1 };
                break;
            case 4:
                owner.Remove(key);
                owner[key + "x"] = value;
                break;
            case 5:
                owner[key] = new JsonArray(new JsonArray(value));
                break;
            default:
                owner[key] = 1e300;
                break;
        }

        return root.ToJsonString();
    }

    private static IEnumerable<(JsonObject Owner, string Key)> Keys(JsonNode? node) => node switch
    {
        JsonObject owner => owner.SelectMany(pair => Keys(pair.Value).Prepend((owner, pair.Key))),
        JsonArray list => list.SelectMany(Keys),
        _ => [],
    };

    [GeneratedRegex("System\\.|ConvNet\\.|Json[A-Z]|Int32|Boolean|`1|Path: |Spec\\b|\\$\\.|   at ")]
    private static partial Regex Foreign();
}
