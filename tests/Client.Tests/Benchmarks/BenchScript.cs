using System.Diagnostics;
using System.Runtime.Versioning;
using ConvNet.Client.Tests.Commands;

namespace ConvNet.Client.Tests.Benchmarks;

/// <summary>A script of bench/ in a folder where the programs that it calls only print figures.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class BenchScript : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _script;

    /// <param name="name">Such as "against-peers".</param>
    public BenchScript(string name)
    {
        _script = $"bench/{name}";
        Write(_script, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "bench", name)));
    }

    /// <summary>Puts a program in its place; those in "programs" are found before the machine's own.</summary>
    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.SetUnixFileMode(_folder.Write(name, text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string PathOf(string name) => _folder[name];

    public string Read(string name) => File.ReadAllText(_folder[name]);

    public async Task<CommandLineRun> RunAsync(CancellationToken cancellation, params string[] arguments)
    {
        var start = new ProcessStartInfo(_folder[_script], arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = _folder.Path;
        start.Environment["PATH"] = $"{_folder["programs"]}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
        string error = await process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return new CommandLineRun(process.ExitCode, await output, error);
    }

    public void Dispose() => _folder.Dispose();
}
