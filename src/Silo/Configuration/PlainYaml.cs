using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ConvNet.Silo.Configuration;

/// <summary>Reads settings that people write as YAML: nested mappings of plain values, no tags, anchors or lists.</summary>
/// <param name="path">The file.</param>
/// <param name="source">What errors call it, e.g. "configuration file 'my.yaml'".</param>
/// <param name="place">How errors call a line and a column of it.</param>
/// <param name="example">A setting as it may stand there.</param>
/// <param name="isSection">Whether a key holds others.</param>
/// <param name="sectionHint">What to say behind an error about a key that holds others and should not.</param>
public sealed class PlainYaml(
    string path, string source, Func<long, long, string> place, string example, Func<string, bool> isSection, Func<string, string> sectionHint)
{
    private const int MaxBytes = 1 << 20;
    private const int MaxDepth = 8;

    private readonly HashSet<string> _given = [];

    /// <param name="take">Called with each value, in the order of the file; may refuse it.</param>
    /// <exception cref="ConvNetException">The file is no such YAML (exit code 3).</exception>
    public void Read(Action<YamlEntry> take)
    {
        string text = TextFile.Read(path, source, MaxBytes);
        CheckIndents(text);
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        try
        {
            parser.Consume<StreamStart>();
            if (parser.TryConsume<DocumentStart>(out _))
            {
                ReadDocument(parser, take);
                if (!parser.TryConsume<StreamEnd>(out _))
                {
                    throw Error(parser.Current!, "a configuration file holds one document.");
                }
            }
        }
        catch (YamlException e)
        {
            throw ConvNetException.BadInput($"{PlaceOf(e.Start)}: not valid YAML: {e.Message.TrimEnd('.')}.", e);
        }
        catch (InvalidOperationException e)
        {
            // The library's scanner trips over text that ends within a flow mapping.
            throw ConvNetException.BadInput($"{PlaceOf(parser.Current?.End ?? Mark.Empty)}: not valid YAML: what follows cannot be read.", e);
        }
    }

    // The parser reports a tab at the start of the whole block.
    private void CheckIndents(string text)
    {
        int line = 0;
        foreach (ReadOnlySpan<char> row in text.AsSpan().EnumerateLines())
        {
            line++;
            int indent = row.IndexOfAnyExcept(' ', '\t');
            int tab = indent < 0 ? -1 : row[..indent].IndexOf('\t');
            if (tab >= 0)
            {
                throw ConvNetException.BadInput($"{place(line, tab + 1)}: not valid YAML: a tab in front of text; indent with spaces.");
            }
        }
    }

    private void ReadDocument(Parser parser, Action<YamlEntry> take)
    {
        if (parser.Current is Scalar { Value.Length: 0 })
        {
            parser.MoveNext();
        }
        else if (parser.Current is MappingStart)
        {
            ReadMapping(parser, "", take, depth: 1);
        }
        else
        {
            throw Error(parser.Current!, $"expected settings such as '{example}'.");
        }

        parser.Consume<DocumentEnd>();
    }

    private void ReadMapping(Parser parser, string prefix, Action<YamlEntry> take, int depth)
    {
        Refuse(parser.Current!);
        parser.Consume<MappingStart>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            Refuse(parser.Current!);
            if (parser.Current is not Scalar name)
            {
                throw Error(parser.Current!, "a key must be plain text.");
            }

            parser.MoveNext();
            string key = prefix + name.Value;
            switch (parser.Current)
            {
                case MappingStart when depth < MaxDepth && isSection(key):
                    ReadMapping(parser, key + ".", take, depth + 1);
                    break;
                case Scalar value:
                    Refuse(value);
                    take(Entry(name, key, value));
                    parser.MoveNext();
                    break;
                case MappingStart:
                    throw Error(name, $"there is no section '{key}'.{sectionHint(key)}");
                default:
                    throw Error(parser.Current!, $"'{key}' takes one plain value.");
            }
        }
    }

    private YamlEntry Entry(Scalar name, string key, Scalar value)
    {
        if (!_given.Add(key))
        {
            throw Error(name, $"'{key}' is given twice.");
        }

        return value.Value.Contains('\0', StringComparison.Ordinal)
            ? throw Error(value, $"'{key}' holds a NUL, which no name or path can have.")
            : new YamlEntry(key, value.Value, PlaceOf(name.Start), PlaceOf(value.Start));
    }

    private void Refuse(ParsingEvent node)
    {
        if (node is AnchorAlias || node is NodeEvent { Anchor.IsEmpty: false })
        {
            throw Error(node, "anchors and aliases are not allowed.");
        }

        if (node is NodeEvent { Tag.IsEmpty: false })
        {
            throw Error(node, "tags are not allowed.");
        }
    }

    private ConvNetException Error(ParsingEvent at, string message) => ConvNetException.BadInput($"{PlaceOf(at.Start)}: {message}");

    private string PlaceOf(Mark mark) => place(mark.Line, mark.Column);
}
