using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;

namespace ConvNet.Client.Commands;

/// <summary>checkpoint: is it whole?</summary>
internal static class CheckpointCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("dir") { Description = "Run folder (its newest checkpoint) or checkpoint folder", HelpName = "DIR" };
        Option<bool> json = RunOptions.JsonOption();
        var verify = new Command(
            "verify",
            """
            Checks sizes and hashes of a checkpoint's files, and that its content has the hashes it promises.

            Example: convnet checkpoint verify runs/train-0001
            """)
        { directory, json };
        verify.SetAction(parsed => Verify(terminal, parsed.GetValue(directory)!, parsed.GetValue(json)));
        return new Command("checkpoint", "Looks at checkpoints") { verify };
    }

    private static int Verify(Terminal terminal, string directory, bool json)
    {
        CheckpointVerification found = CheckpointFolder.Verify(Newest(directory));
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "checkpoint.verified",
                ["ok"] = found.Ok,
                ["step"] = found.Step,
                ["stateSha256"] = found.StateSha256,
                ["path"] = found.Path,
            };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else if (found.Ok)
        {
            terminal.Out.WriteLine($"{found.Path} is whole: step {found.Step}, state {found.StateSha256}");
        }

        foreach (string problem in found.Problems)
        {
            terminal.Error.WriteLine($"error: {found.Path}: {problem}");
        }

        return (int)(found.Ok ? ExitCode.Ok : ExitCode.BadInput);
    }

    /// <summary>The newest checkpoint of a run folder whether it is whole or not: passing over a damaged one would hide the damage.</summary>
    private static string Newest(string directory)
    {
        string store = Path.Combine(Path.GetFullPath(directory), CheckpointStore.FolderName);
        string? newest = Directory.Exists(store)
            ? Directory.GetDirectories(store, CheckpointFolder.Prefix + "*")
                .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal).LastOrDefault()
            : null;
        return newest ?? CheckpointStore.Resolve(directory, _ => { });
    }
}
