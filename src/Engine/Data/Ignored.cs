using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Data;

/// <summary>Says which files of a folder a data set does not use.</summary>
public static class Ignored
{
    private const int Shown = 3;

    /// <summary>Adds one remark about all files (hidden ones aside) that <paramref name="isIgnored"/> picks, if there are any.</summary>
    /// <param name="why">What they are not, e.g. "no image".</param>
    public static void Add(string folder, Func<string, bool> isIgnored, string why, ICollection<string> remarks)
    {
        string[] names = [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!).Where(name => name[0] != '.' && isIgnored(name))];
        Add(names, why, remarks);
    }

    /// <summary>Adds one remark about all these files, if there are any: how many, and the first ones in ordinal order.</summary>
    public static void Add(string[] names, string why, ICollection<string> remarks)
    {
        if (names.Length == 0)
        {
            return;
        }

        Array.Sort(names, StringComparer.Ordinal);
        string first = string.Join(", ", names.Take(Shown).Select(name => PrintableText.Of(name)));
        string more = names.Length > Shown ? ", …" : "";
        remarks.Add($"{names.Length} {(names.Length == 1 ? "file is" : "files are")} ignored ({why}): {first}{more}");
    }
}
