using System.Text.RegularExpressions;

namespace ConvNet.Repository.Tests;

/// <summary>
/// Which folders of a project use which others: by a using line, by a qualified name, or without either, as C# sees the types of the namespaces
/// around a file's own.
/// </summary>
internal sealed partial class FolderImports
{
    private const string Root = ".";

    private readonly string _project;
    private readonly SourceFile[] _files;
    private readonly Dictionary<string, string> _folderOfNamespace;

    /// <param name="project">A folder of src, such as "Engine".</param>
    public FolderImports(string project)
    {
        _project = project;
        _files = [.. SourceTree.Under($"src/{project}")];
        _folderOfNamespace = _files.Where(file => file.Namespace is not null).Select(file => (file.Namespace, Folder: FolderOf(file))).Distinct()
            .ToDictionary(pair => pair.Namespace!, pair => pair.Folder);
        Folders = [.. _files.Select(FolderOf).Distinct().Order(StringComparer.Ordinal)];
        Users = _files.SelectMany(file => UsedBy(file).Select(used => (From: FolderOf(file), To: used, file)))
            .Where(import => import.From != import.To)
            .ToLookup(import => (import.From, import.To), import => import.file);
    }

    /// <summary>From the project's folder, with slashes; "." for the folder itself.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>The files behind each import.</summary>
    public ILookup<(string From, string To), SourceFile> Users { get; }

    /// <summary>Files, lines and imports of each folder, as a table for a report.</summary>
    public string Describe()
    {
        IEnumerable<string> rows = Folders.Select(folder =>
        {
            SourceFile[] files = [.. _files.Where(file => FolderOf(file) == folder)];
            IEnumerable<string> imports = Users.Where(import => import.Key.From == folder).Select(import => $"{import.Key.To} ({import.Count()})").Order();
            return $"| {folder} | {files.Length} | {files.Sum(file => file.Lines.Length)} | {string.Join(", ", imports)} |";
        });
        return $"src/{_project}\n\n| folder | files | lines | imports (files) |\n|---|---:|---:|---|\n{string.Join('\n', rows)}\n";
    }

    private string FolderOf(SourceFile file) => Path.GetRelativePath($"src/{_project}", file.Folder);

    private HashSet<string> UsedBy(SourceFile file)
    {
        HashSet<string> used = [];
        string own = file.Namespace ?? $"ConvNet.{_project}";
        foreach (Match match in Name().Matches(file.Code))
        {
            string[] parts = match.Value.Split('.');
            used.UnionWith(Qualified("", parts, match.Value));
            for (string around = own; around.StartsWith($"ConvNet.{_project}", StringComparison.Ordinal); around = Parent(around))
            {
                used.UnionWith(Qualified(around + ".", parts, match.Value));
                if (around != own && _folderOfNamespace.TryGetValue(around, out string? folder) && Declares(around, parts[0]))
                {
                    used.Add(folder);
                }
            }
        }

        return used;
    }

    /// <summary>The folder of the longest namespace that a name starts with, if all of the name is a namespace or a type follows.</summary>
    private IEnumerable<string> Qualified(string prefix, string[] parts, string name)
    {
        for (int length = parts.Length; length > 0; length--)
        {
            string start = prefix + string.Join('.', parts[..length]);
            if (_folderOfNamespace.TryGetValue(start, out string? folder))
            {
                bool isUsing = length == parts.Length && prefix.Length == 0;
                return isUsing || (length < parts.Length && Declares(start, parts[length])) ? [folder] : [];
            }
        }

        return [];
    }

    private bool Declares(string space, string type) => _files.Any(file => file.Namespace == space && file.Types.Contains(type));

    private static string Parent(string space) => space[..space.LastIndexOf('.')];

    /// <summary>A name with what is behind its dots, not a member of something.</summary>
    [GeneratedRegex(@"(?<![\w.]|\bnamespace )[A-Z]\w*(?:\.[A-Z]\w*)*")]
    private static partial Regex Name();
}
