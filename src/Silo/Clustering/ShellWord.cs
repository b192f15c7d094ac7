using System.Text.RegularExpressions;

namespace ConvNet.Silo.Clustering;

/// <summary>Words of commands that are printed for people to copy into a shell.</summary>
public static partial class ShellWord
{
    /// <summary>The word as a shell takes it: as it is, or in double quotes.</summary>
    public static string Quote(string word) => Plain().IsMatch(word) ? word : $"\"{Special().Replace(word, "\\$0")}\"";

    [GeneratedRegex(@"\A[A-Za-z0-9_@%+=:,./-]+\z")]
    private static partial Regex Plain();

    /// <summary>What keeps its meaning in double quotes.</summary>
    [GeneratedRegex("""[\\"$`]""")]
    private static partial Regex Special();
}
