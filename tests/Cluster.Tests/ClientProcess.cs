using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A process of the real client, or of a silo, as a user starts it.</summary>
internal sealed class ClientProcess : IDisposable
{
    public const int SigStop = 19, SigCont = 18, SigTerm = 15;
    private const int SigHup = 1;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly List<(long At, string Line)> _lines = [];

    private ClientProcess(string folder, string[] line, params string[] variables)
    {
        var start = new ProcessStartInfo(line[0])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string arg in line[1..])
        {
            start.ArgumentList.Add(arg);
        }

        foreach (string[] variable in variables.Select(variable => variable.Split('=', 2)))
        {
            start.Environment[variable[0]] = variable[1];
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) =>
        {
            Note(line.Data);
            Append(_output, line.Data);
        };
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The program and its first argument. The test project references the client, so its assembly and its data lie beside the tests.</summary>
    public static string[] Client { get; } =
    [
        Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
        Path.Combine(AppContext.BaseDirectory, "convnet.dll"),
    ];

    /// <summary>convnet-silo, the silo without the client, in the same way.</summary>
    public static string[] Silo { get; } = [Client[0], Path.Combine(AppContext.BaseDirectory, "convnet-silo.dll")];

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Error => Text(_error);

    /// <summary>The lines of standard output, and when each came, as <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public (long At, string Line)[] Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>All lines of standard output as JSON.</summary>
    public JsonElement[] Events => [.. Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>
    /// The changes of members in which somebody was lost or has joined: on a noisy machine, a job may also deal its shards anew between those who stay.
    /// </summary>
    public JsonElement[] MemberChanges => [.. Events.Where(line =>
        line.GetProperty("event").GetString() == "members.changed"
        && line.GetProperty("lost").GetArrayLength() + line.GetProperty("joined").GetArrayLength() > 0)];

    public static ClientProcess Start(string folder, params string[] args) => new(folder, [.. Client, .. args]);

    /// <summary>Starts convnet-silo.</summary>
    /// <param name="variables">NAME=value, in its environment.</param>
    public static ClientProcess StartSilo(string folder, string[] variables, params string[] args) =>
        new(folder, [.. Silo, .. args], variables);

    /// <summary>Starts it by another command, which becomes this one.</summary>
    /// <param name="around">The command, to which the client's line is appended.</param>
    public static ClientProcess StartBy(string[] around, string folder, params string[] args) => new(folder, [.. around, .. Client, .. args]);

    /// <summary>Starts a shell with a script, which may call the client.</summary>
    /// <param name="around">The command to which the shell's line is appended.</param>
    public static ClientProcess StartShell(string[] around, string folder, string script) => new(folder, [.. around, "sh", "-e", "-c", script]);

    /// <summary>Runs a command to its end, which must have this exit code.</summary>
    public static async Task<ClientProcess> RunAsync(int exitCode, string folder, params string[] args)
    {
        var process = new ClientProcess(folder, [.. Client, .. args]);
        await process.EndAsync(exitCode);
        return process;
    }

    /// <summary>Waits until standard output contains a text.</summary>
    public Task SaysAsync(string text) => SaysAsync(text, () => Output);

    /// <summary>The same for standard error.</summary>
    public Task ComplainsAsync(string text) => SaysAsync(text, () => Error);

    private async Task SaysAsync(string text, Func<string> stream)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!stream().Contains(text, StringComparison.Ordinal))
        {
            Assert.False(_process.HasExited, $"ended without saying '{text}': {Output}{Error}");
            await Task.Delay(50, deadline.Token);
        }
    }

    /// <summary>Sends SIGTERM, as an operator or a service manager does.</summary>
    public void Terminate() => Assert.Equal(0, Send(_process.Id, SigTerm));

    /// <summary>Ends the process at once, as a power cut does (kill -9).</summary>
    public void Kill() => _process.Kill();

    /// <summary>Stops it (SIGSTOP): its connections stay open, and nobody answers.</summary>
    public void Freeze() => Assert.Equal(0, Send(_process.Id, SigStop));

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Assert.Equal(0, Send(_process.Id, SigCont));

    /// <summary>Sends SIGHUP, as a terminal does that is closed.</summary>
    public void HangUp() => Assert.Equal(0, Send(_process.Id, SigHup));

    /// <param name="patience">Null: 5 minutes.</param>
    public async Task EndAsync(int exitCode, TimeSpan? patience = null)
    {
        int code = await EndAsync(patience);
        Assert.True(code == exitCode, $"exit code {code} instead of {exitCode}: {Output}{Error}");
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync(TimeSpan? patience = null)
    {
        TimeSpan longest = patience ?? Patience;
        using var deadline = new CancellationTokenSource(longest);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the process has not ended for {longest.TotalMinutes} minutes: {Output}{Error}");
        }

        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>Sends a signal to a process of any kind.</summary>
    [DllImport("libc", EntryPoint = "kill")]
    internal static extern int Send(int process, int signal);

    private void Note(string? line)
    {
        if (line is not null)
        {
            lock (_lines)
            {
                _lines.Add((Stopwatch.GetTimestamp(), line));
            }
        }
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
