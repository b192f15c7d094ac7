namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>
/// What a crash can leave of a folder, as POSIX allows it: of a file that was written and not flushed, all, nothing or a torn piece; of the names
/// that were made, moved or deleted in a folder since it was flushed, any of them or none, the two sides of a move together. What was flushed stays.
/// </summary>
internal sealed class CrashedDisk
{
    private readonly string _root;
    private readonly Node _top;

    /// <param name="root">What lies there now is on the disk already.</param>
    public CrashedDisk(string root)
    {
        _root = root;
        _top = Read(root);
    }

    public static IReadOnlyList<Survival> Ways { get; } =
        [Survival.Everything, Survival.Nothing, .. Enumerable.Range(0, 6).Select(seed => new Survival(seed))];

    public void Apply(DiskStep step)
    {
        switch (step.Kind)
        {
            case DiskStepKind.CreateFolder:
                Change(step.Path, new Node(isFolder: true));
                break;
            case DiskStepKind.CreateFile:
                Change(step.Path, new Node(isFolder: false));
                break;
            case DiskStepKind.Write:
                Find(step.Path).Content = step.Content!;
                break;
            case DiskStepKind.Flush:
                Node file = Find(step.Path);
                file.Flushed = file.Content;
                break;
            case DiskStepKind.FlushFolder:
                Node folder = Find(step.Path);
                folder.FlushedEntries = new Dictionary<string, Node>(folder.Entries);
                folder.Pending.Clear();
                break;
            case DiskStepKind.Move:
                Node moved = Find(step.Path);
                Parent(step.Path).Change([(Path.GetFileName(step.Path), null), (Path.GetFileName(step.Target!), moved)]);
                break;
            case DiskStepKind.Delete:
                Change(step.Path, null);
                break;
        }
    }

    /// <summary>Writes into an empty folder what is left.</summary>
    public void WriteTo(string folder, Survival way) => Write(_top, folder, way);

    private static void Write(Node node, string path, Survival way)
    {
        if (!node.IsFolder)
        {
            byte[] left = ReferenceEquals(node.Flushed, node.Content) ? node.Content : way.Torn(node.Flushed, node.Content);
            File.WriteAllBytes(path, left);
            return;
        }

        Directory.CreateDirectory(path);
        var entries = new Dictionary<string, Node>(node.FlushedEntries);
        foreach ((string Name, Node? Node)[] change in node.Pending.Where(_ => way.Keeps()))
        {
            Node.Change(entries, change);
        }

        foreach ((string name, Node entry) in entries)
        {
            Write(entry, Path.Combine(path, name), way);
        }
    }

    private static Node Read(string path)
    {
        if (File.Exists(path))
        {
            byte[] content = File.ReadAllBytes(path);
            return new Node(isFolder: false) { Content = content, Flushed = content };
        }

        var node = new Node(isFolder: true);
        foreach (string entry in Directory.GetFileSystemEntries(path))
        {
            node.Entries[Path.GetFileName(entry)] = Read(entry);
        }

        node.FlushedEntries = new Dictionary<string, Node>(node.Entries);
        return node;
    }

    private void Change(string path, Node? node) => Parent(path).Change([(Path.GetFileName(path), node)]);

    private Node Parent(string path) => Find(Path.GetDirectoryName(path)!);

    private Node Find(string path)
    {
        string relative = Path.GetRelativePath(_root, path);
        return relative == "." ? _top : relative.Split('/').Aggregate(_top, (node, name) => node.Entries[name]);
    }

    /// <summary>A file or a folder, under whatever name.</summary>
    private sealed class Node(bool isFolder)
    {
        public bool IsFolder => isFolder;

        public byte[] Content { get; set; } = [];

        public byte[] Flushed { get; set; } = [];

        public Dictionary<string, Node> Entries { get; } = [];

        public Dictionary<string, Node> FlushedEntries { get; set; } = [];

        /// <summary>What was done to the names since they were flushed; each is there as a whole or not.</summary>
        public List<(string Name, Node? Node)[]> Pending { get; } = [];

        public static void Change(Dictionary<string, Node> entries, (string Name, Node? Node)[] change)
        {
            foreach ((string name, Node? node) in change)
            {
                if (node is null)
                {
                    entries.Remove(name);
                }
                else
                {
                    entries[name] = node;
                }
            }
        }

        public void Change((string Name, Node? Node)[] change)
        {
            Pending.Add(change);
            Change(Entries, change);
        }
    }
}
