using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A real redis-server with a password, on a free port.</summary>
/// <param name="machine">The network namespace of <see cref="Machines"/> that has the address, or null.</param>
/// <param name="keeps">Whether it keeps its data in an append-only file; else it always begins empty.</param>
internal sealed class RedisServer(string address = "127.0.0.1", string? machine = null, bool keeps = false) : IDisposable
{
    private const string Password = "a-password-for-tests";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePorts.Take(1)[0];
    private Process? _process;

    public string Endpoint => $"{address}:{_port}";

    /// <summary>Folder with its certificate, of a CA that it demands of its clients, too; with one it speaks nothing but TLS.</summary>
    public string? Certificates { get; set; }

    public string Url => $"redis{(Certificates is null ? "" : "s")}://{Endpoint}?id=lab";

    public string PasswordFile => _folder["password"];

    private string[] Ports => Certificates is null
        ? ["--port", $"{_port}"]
        : [
            "--port", "0", "--tls-port", $"{_port}", "--tls-cert-file", Path.Combine(Certificates, "redis.pem"),
            "--tls-key-file", Path.Combine(Certificates, "redis.key"), "--tls-ca-cert-file", Path.Combine(Certificates, "ca.pem"),
        ];

    private string[] Data => ["--dir", _folder.Path, "--appendonly", keeps ? "yes" : "no"];

    /// <summary>Starts the server, for the first time or after <see cref="Kill"/> or <see cref="StopAsync"/>, and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        await File.WriteAllTextAsync(PasswordFile, Password + "\n");
        string[] command = machine is null ? ["redis-server"] : ["ip", "netns", "exec", machine, "redis-server"];
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (string arg in (string[])[.. command[1..], "--bind", address, .. Ports, .. Data, "--save", "", "-"])
        {
            start.ArgumentList.Add(arg);
        }

        var ready = new TaskCompletionSource();
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null || line.Data.Contains("Ready to accept connections"))
            {
                ready.TrySetResult();
            }
        };
        _process.Start();
        _process.BeginOutputReadLine();

        // On its standard input, so that no list of processes shows it.
        await _process.StandardInput.WriteLineAsync($"requirepass {Password}");
        _process.StandardInput.Close();
        await ready.Task.WaitAsync(Patience);
        Assert.False(_process.HasExited, "redis-server has ended");
    }

    /// <summary>Stops answering, as a machine does that swaps.</summary>
    public void Freeze() => Assert.Equal(0, ClientProcess.Send(_process!.Id, ClientProcess.SigStop));

    public void Thaw() => Assert.Equal(0, ClientProcess.Send(_process!.Id, ClientProcess.SigCont));

    /// <summary>Has the process end in order (SIGTERM).</summary>
    public async Task StopAsync()
    {
        Assert.Equal(0, ClientProcess.Send(_process!.Id, ClientProcess.SigTerm));
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Ends the process at once, and what it holds is lost unless it is kept.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }

        _folder.Dispose();
    }
}
