using ConvNet.Engine.Files;
using ConvNet.Engine.Formats;

namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>The machine's disk, with a list of all that was done to it.</summary>
internal sealed class RecordedDisk : DurableDisk
{
    private readonly List<DiskStep> _steps = [];
    private string? _unflushed;

    public IReadOnlyList<DiskStep> Steps
    {
        get
        {
            NoteContent();
            return _steps;
        }
    }

    public override void CreateFolder(string path)
    {
        var made = new Stack<string>();
        for (string folder = path; !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!)
        {
            made.Push(folder);
        }

        base.CreateFolder(path);
        foreach (string folder in made)
        {
            Note(new DiskStep(DiskStepKind.CreateFolder, folder));
        }
    }

    /// <summary>Shared, as its content is read while it is open.</summary>
    public override FileStream CreateFile(string path)
    {
        Note(new DiskStep(DiskStepKind.CreateFile, path));
        _unflushed = path;
        return PrivateFile.Open(path, FileMode.CreateNew, FileShare.Read);
    }

    public override void Flush(FileStream file)
    {
        base.Flush(file);
        _unflushed = null;
        byte[] content = Content(file.Name);
        Note(new DiskStep(DiskStepKind.Write, file.Name, Content: content));
        Note(new DiskStep(DiskStepKind.Flush, file.Name));
    }

    public override void FlushFolder(string folder)
    {
        base.FlushFolder(folder);
        Note(new DiskStep(DiskStepKind.FlushFolder, folder));
    }

    public override void Move(string from, string to)
    {
        base.Move(from, to);
        Note(new DiskStep(DiskStepKind.Move, from, to));
    }

    public override void Delete(string folder)
    {
        foreach (string file in Directory.GetFiles(folder))
        {
            Note(new DiskStep(DiskStepKind.Delete, file));
        }

        base.Delete(folder);
        Note(new DiskStep(DiskStepKind.Delete, folder));
    }

    private static byte[] Content(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    private void Note(DiskStep step)
    {
        NoteContent();
        _steps.Add(step);
    }

    /// <summary>What was written without being flushed.</summary>
    private void NoteContent()
    {
        if (_unflushed is { } path)
        {
            _unflushed = null;
            if (File.Exists(path))
            {
                _steps.Add(new DiskStep(DiskStepKind.Write, path, Content: Content(path)));
            }
        }
    }
}
