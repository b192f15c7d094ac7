using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>Parses the command line, runs the command and turns every outcome into an exit code.</summary>
public static class CommandLine
{
    /// <returns>The exit code of the process; see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        RootCommand root = Root(terminal);
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            return ReportUsage(parsed, terminal);
        }

        try
        {
            // Signals are ours (StopSignal): the library would end the process before the checkpoint is written.
            var invocation = new InvocationConfiguration
            {
                Output = terminal.Raw,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            return Report(e, terminal);
        }
    }

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
        root.Add(MonitorCommand.Create(terminal));
        root.Add(JobCommand.Create(terminal));
        root.Add(SiloCommand.Create(terminal));
        root.Add(ClusterCommand.Create(terminal));
        root.Add(ModelCommand.Create(terminal));
        root.Add(DataCommand.Create(terminal));
        root.Add(CheckpointCommand.Create(terminal));
        ValueCheck.AddTo(root);
        return root;
    }

    /// <summary>Writes what a failure means to the user: a sentence for what they can act on, never a stack trace.</summary>
    internal static int Report(Exception failure, Terminal terminal)
    {
        (ExitCode code, string message) = Failures.Explain(failure);
        terminal.Error.WriteLine($"error: {message}");
        return (int)code;
    }

    private static int ReportUsage(ParseResult parsed, Terminal terminal)
    {
        Command command = parsed.CommandResult.Command;
        bool isUnknown = parsed.UnmatchedTokens.Count > 0;
        string[] problems = [.. parsed.Errors.Where(error => !isUnknown || Names(error, parsed.UnmatchedTokens))
            .Select(error => error.Message + Hint(parsed, error, command))];
        foreach (string problem in problems)
        {
            terminal.Error.WriteLine($"error: {problem}");
        }

        if (command.Name is "train" or "resume" && parsed.Tokens.Any(token => token.Value == "--json"))
        {
            using var events = new JsonLines(terminal.Out, null);
            events.Handle(new RunEvent.Failed(ExitCode.Usage, string.Join(Environment.NewLine, problems)));
        }

        terminal.Error.WriteLine($"Try '{Path(parsed.CommandResult)} --help'.");
        return (int)ExitCode.Usage;
    }

    private static string Hint(ParseResult parsed, ParseError error, Command command)
    {
        string? unknown = parsed.UnmatchedTokens.FirstOrDefault(token => Names(error, [token]));
        if (unknown is null)
        {
            return "";
        }

        IEnumerable<string> known = unknown.StartsWith('-')
            ? command.Options.SelectMany(option => option.Aliases.Prepend(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        return known.Any() ? NearMatch.Suggest(unknown, known) : "";
    }

    /// <summary>An unknown word also leaves something else missing: the word is what the user wants to hear of.</summary>
    private static bool Names(ParseError error, IReadOnlyList<string> tokens) =>
        tokens.Any(token => error.Message.Contains($"'{token}'", StringComparison.Ordinal));

    private static string Path(CommandResult result)
    {
        string name = result.Parent is null ? "convnet" : result.Command.Name;
        return result.Parent is CommandResult parent ? $"{Path(parent)} {name}" : name;
    }
}
