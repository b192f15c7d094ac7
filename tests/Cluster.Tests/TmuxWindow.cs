using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A command in a real terminal of a given size.</summary>
internal sealed class TmuxWindow : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly string _server = $"convnet-{Guid.NewGuid():N}";

    public TmuxWindow(string folder, int columns, int rows, params string[] args)
    {
        string client = Path.Combine(AppContext.BaseDirectory, "convnet.dll");
        string command = string.Join(' ', args.Prepend(client).Select(word => $"'{word}'"));
        Run(
            "-f", "/dev/null", "new-session", "-d", "-x", $"{columns}", "-y", $"{rows}", "-c", folder,
            $"dotnet {command}; code=$?; echo Ended; echo \"Exit code $code\"; stty -a | grep -ow -e '-\\?icanon' -e '-\\?echo'; sleep 300");
    }

    public static bool IsAvailable => Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(path => File.Exists(Path.Combine(path, "tmux")));

    /// <summary>The rows on the screen, the empty ones at its end left out.</summary>
    public string[] Rows => Run("capture-pane", "-p").TrimEnd('\n').Split('\n');

    /// <summary>Everything since the start.</summary>
    public string[] History => Run("capture-pane", "-p", "-S", "-").TrimEnd('\n').Split('\n');

    /// <summary>Whether the command has the alternate screen, whether the cursor is shown, whether the keypad sends codes of its own.</summary>
    public string Modes => Run("display-message", "-p", "#{alternate_on} #{cursor_flag} #{keypad_flag}").Trim();

    /// <summary>Presses keys by the names that tmux has for them.</summary>
    public void Press(params string[] keys) => Run(["send-keys", .. keys]);

    public void Resize(int columns, int rows) => Run("resize-window", "-x", $"{columns}", "-y", $"{rows}");

    public async Task ShowsAsync(Predicate<string> row)
    {
        var waiting = Stopwatch.StartNew();
        while (!Array.Exists(Rows, row))
        {
            Assert.True(waiting.Elapsed < Patience, string.Join('\n', Rows));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => Run("kill-server");

    private string Run(params string[] args)
    {
        var start = new ProcessStartInfo("tmux", ["-u", "-L", _server, .. args]) { RedirectStandardOutput = true };
        // Some runners set it, and a person's terminal shows colours.
        start.Environment.Remove("NO_COLOR");
        using Process tmux = Process.Start(start)!;
        string output = tmux.StandardOutput.ReadToEnd();
        tmux.WaitForExit();
        return output;
    }
}
