using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Configuration;

/// <summary>What environment variables say about a silo.</summary>
internal static class SiloVariables
{
    /// <param name="problems">Takes a sentence for each variable that begins as ours and is none. Its value may be secret, and is never shown.</param>
    public static IReadOnlyList<SiloSetting> Read(IReadOnlyDictionary<string, string> environment, List<string> problems)
    {
        var settings = new List<SiloSetting>();
        foreach ((string name, string value) in environment.Where(pair => pair.Key.StartsWith(SiloKey.VariablePrefix, StringComparison.Ordinal))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (SiloKeys.All.FirstOrDefault(key => key.Variable == name) is { } known)
            {
                settings.Add(SiloSetting.Variable(known, value));
            }
            else
            {
                problems.Add($"environment variable {name}: there is no such setting.{Hint(name)}");
            }
        }

        return settings;
    }

    /// <summary>All variables begin alike, so that what follows decides which one is near.</summary>
    private static string Hint(string name)
    {
        string? near = NearMatch.Nearest(name[SiloKey.VariablePrefix.Length..], SiloKeys.All.Select(key => key.Variable[SiloKey.VariablePrefix.Length..]));
        return near is null
            ? $" There are {string.Join(", ", SiloKeys.All.Select(key => key.Variable))}."
            : $" Did you mean {SiloKey.VariablePrefix}{near}?";
    }
}
