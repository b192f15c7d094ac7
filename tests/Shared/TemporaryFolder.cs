namespace ConvNet.Tests;

/// <summary>The folder of one test, deleted at its end.</summary>
/// <param name="isInMemory">For thousands of files: on Linux no disk is written.</param>
internal sealed class TemporaryFolder(bool isInMemory = false) : IDisposable
{
    private const string Prefix = "convnet-test-";
    private const string MemoryRoot = "/dev/shm";

    public string Path { get; } = isInMemory && Directory.Exists(MemoryRoot)
        ? Directory.CreateDirectory($"{MemoryRoot}/{Prefix}{Guid.NewGuid():N}").FullName
        : Directory.CreateTempSubdirectory(Prefix).FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string Write(string name, params byte[][] parts)
    {
        string path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [.. parts.SelectMany(part => part)]);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
