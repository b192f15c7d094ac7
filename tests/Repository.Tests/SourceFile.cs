using System.Text.RegularExpressions;

namespace ConvNet.Repository.Tests;

/// <summary>One C# file.</summary>
/// <param name="name">From the root, with slashes.</param>
internal sealed partial class SourceFile(string name)
{
    private readonly Lazy<string[]> _lines = new(() => SourceTree.Read(name).TrimEnd('\n').Split('\n'));
    private readonly Lazy<string> _code = new(() => CodeText.Of(SourceTree.Read(name)));
    private readonly Lazy<HashSet<string>> _identifiers = new(() => [.. Identifier().Matches(CodeText.Of(SourceTree.Read(name))).Select(match => match.Value)]);

    public string Name => name;

    public string Folder { get; } = name[..name.LastIndexOf('/')];

    /// <summary>Up to the first dot: JobGrain for JobGrain.Parts.cs.</summary>
    public string Concept { get; } = name[(name.LastIndexOf('/') + 1)..].Split('.')[0];

    public string[] Lines => _lines.Value;

    public string Text => SourceTree.Read(name);

    /// <summary>Without comments and literals; see <see cref="CodeText"/>.</summary>
    public string Code => _code.Value;

    public IReadOnlySet<string> Identifiers => _identifiers.Value;

    /// <summary>Null for a file of top-level statements.</summary>
    public string? Namespace => NamespaceLine().Match(Code) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>The names of the types that stand in no other type.</summary>
    public IReadOnlyList<string> Types => [.. TypeDeclaration().Matches(Code).Select(match => match.Groups[1].Value)];

    public string Place(int position) => $"{Name}:{Code.AsSpan(0, position).Count('\n') + 1}";

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"(?m)^namespace ([\w.]+);")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(
        @"(?m)^(?:(?:public|internal|file|static|sealed|abstract|readonly|partial|unsafe|ref)\s+)*" +
        @"(?:class|record\s+struct|record\s+class|record|struct|interface|enum|delegate\s+[\w<>\[\], .?]+?)\s+([A-Za-z_]\w*)")]
    private static partial Regex TypeDeclaration();
}
