namespace ConvNet.Engine.Errors;

/// <summary>Guesses what a mistyped name was meant to be.</summary>
public static class NearMatch
{
    private const int MaxLength = 40;

    /// <summary>" Did you mean 'conv'?" with the nearest candidate, or "" when none is near.</summary>
    public static string Suggest(string word, IEnumerable<string> candidates) =>
        Nearest(word, candidates) is { } name ? $" Did you mean '{name}'?" : "";

    /// <summary>The nearest candidate, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length is 0 or > MaxLength)
        {
            return null;
        }

        (string name, int distance) = candidates
            .Select(candidate => (candidate, Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .DefaultIfEmpty(("", int.MaxValue))
            .MinBy(pair => pair.Item2);
        return distance <= Math.Max(2, name.Length / 3) && distance < name.Length ? name : null;
    }

    /// <summary>Insertions, deletions and substitutions from one word to the other (Levenshtein 1965).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
