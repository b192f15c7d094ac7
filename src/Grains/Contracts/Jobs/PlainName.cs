using System.Text.RegularExpressions;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Names that people give to jobs, silos, clusters and certificates: they stand in keys of grains, in paths, in tables and in logs.</summary>
public static partial class PlainName
{
    /// <param name="most">Characters.</param>
    /// <returns>Why nothing can be called so, to stand between what it is and a full stop; null: it can.</returns>
    public static string? ProblemOf(string name, int most) => name.Length <= most && Form().IsMatch(name)
        ? null
        : $"'{name}' must be 1 to {most} letters, digits, dots, hyphens and underscores, and begin with a letter or digit";

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex Form();
}
