using System.CommandLine;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Commands;

namespace ConvNet.Client.Commands;

/// <summary>The commands of the client.</summary>
public static class CommandLine
{
    /// <returns>The exit code of the process; see <see cref="ExitCode"/>.</returns>
    public static Task<int> RunAsync(string[] args, Terminal terminal) =>
        new ProgramRun(Root(terminal), "convnet", terminal.Raw, terminal.Error).RunAsync(args, (parsed, problems) =>
        {
            if (parsed.CommandResult.Command.Name is "train" or "resume" && parsed.Tokens.Any(token => token.Value == "--json"))
            {
                using var events = new JsonLines(terminal.Out, null);
                events.Handle(new RunEvent.Failed(ExitCode.Usage, string.Join(Environment.NewLine, problems)));
            }
        });

    internal static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand(
            """
            Trains convolutional networks on a cluster of machines, with the same bits for any number of workers.

            Example: convnet train --epochs 5 --workers 2
            """);
        root.Add(TrainCommand.Create(terminal));
        root.Add(ResumeCommand.Create(terminal));
        root.Add(EvalCommand.Create(terminal));
        root.Add(VerifyCommand.Create(terminal));
        root.Add(BenchCommand.Create(terminal));
        root.Add(DevicesCommand.Create(terminal));
        root.Add(MonitorCommand.Create(terminal));
        root.Add(JobCommand.Create(terminal));
        root.Add(SiloCommand.Create("silo", "convnet silo", terminal.Out, terminal.Error));
        root.Add(ClusterCommand.Create(terminal));
        root.Add(ModelCommand.Create(terminal));
        root.Add(DataCommand.Create(terminal));
        root.Add(CheckpointCommand.Create(terminal));
        return root;
    }
}
