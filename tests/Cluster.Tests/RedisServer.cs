using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A real redis-server with a password, on a free port of this machine. It keeps nothing on disk, so that it always begins empty.</summary>
internal sealed class RedisServer : IDisposable
{
    private const string Password = "a-password-for-tests";
    private const int SigStop = 19, SigCont = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePorts.Take(1)[0];
    private Process? _process;

    public RedisServer() => File.WriteAllText(PasswordFile, Password + "\n");

    public string Endpoint => $"127.0.0.1:{_port}";

    public string PasswordFile => _folder["password"];

    /// <summary>Starts the server, for the first time or after <see cref="Kill"/>, and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (string arg in new[] { "--bind", "127.0.0.1", "--port", $"{_port}", "--dir", _folder.Path, "--save", "", "-" })
        {
            start.ArgumentList.Add(arg);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();

        // On its standard input, so that no list of processes shows it.
        await _process.StandardInput.WriteLineAsync($"requirepass {Password}");
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Patience);
        while (!await AnswersAsync(deadline.Token))
        {
            Assert.False(_process.HasExited, "redis-server has ended");
            await Task.Delay(20, deadline.Token);
        }
    }

    /// <summary>Stops answering, as a machine does that swaps.</summary>
    public void Freeze() => Assert.Equal(0, ClientProcess.Send(_process!.Id, SigStop));

    public void Thaw() => Assert.Equal(0, ClientProcess.Send(_process!.Id, SigCont));

    /// <summary>Ends the process at once, and what it holds is lost.</summary>
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

    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, _port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
