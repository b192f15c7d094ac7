using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>The events of a run for people who search in them: the name, then each field as <c>key=value</c>, one event a line.</summary>
internal sealed class LogLines(Terminal terminal) : RunSink
{
    /// <summary>Apostrophes and letters of every language stand as they are.</summary>
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Handle(RunEvent happened)
    {
        if (JsonLines.Describe(happened) is { } line)
        {
            terminal.Say(Text(line));
            terminal.Out.Flush();
        }
    }

    /// <param name="line">An event as <see cref="JsonLines"/> writes it.</param>
    public static string Text(JsonObject line) => string.Join(
        ' ', line.Where(field => field.Key != "event").Select(field => $"{field.Key}={Value(field.Value)}").Prepend($"{line["event"]}"));

    /// <summary>Strings stand without quotation marks as long as nothing in them needs some.</summary>
    private static string Value(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String && value.ToString() is { Length: > 0 } text && !text.Contains(' ', StringComparison.Ordinal)
            ? text
            : value?.ToJsonString(Readable) ?? "null";
}
