using System.Text.Json;
using System.Text.Json.Nodes;

namespace ConvNet.Client.Runs;

/// <summary>What the run folders that this process sees tell of a job.</summary>
internal static class RunFolderEvents
{
    /// <summary>The events of a job in the order in which they were written.</summary>
    /// <param name="folder">Its run folder; null: the one in <paramref name="runs"/> whose events name it.</param>
    /// <param name="runs">A folder of run folders.</param>
    /// <returns>Null if there are none.</returns>
    public static IReadOnlyList<JsonObject>? Find(string jobId, string? folder, string runs)
    {
        IEnumerable<string> folders = folder is not null ? [folder]
            : Directory.Exists(runs) ? Directory.EnumerateDirectories(runs).Order(StringComparer.Ordinal)
            : [];
        return folders.Select(candidate => Read(Path.Combine(candidate, "events.jsonl"), jobId)).FirstOrDefault(events => events.Count > 0);
    }

    /// <summary>Several jobs may have written to one folder, one after the other: each begins with an event that names it.</summary>
    private static List<JsonObject> Read(string path, string jobId)
    {
        var events = new List<JsonObject>();
        bool isIts = false;
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            if (Parse(line) is not { } happened)
            {
                continue;
            }

            if (happened["jobId"] is { } named)
            {
                isIts = named.ToString() == jobId;
            }

            if (isIts)
            {
                events.Add(happened);
            }
        }

        return events;
    }

    /// <summary>Null for what somebody has edited beyond recognition.</summary>
    private static JsonObject? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
