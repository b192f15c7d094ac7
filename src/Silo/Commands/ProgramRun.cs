using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Processes;

namespace ConvNet.Silo.Commands;

/// <summary>Parses the command line of a program, runs the command and turns every outcome into an exit code.</summary>
/// <param name="root">All that the program can do.</param>
/// <param name="program">What users call it.</param>
/// <param name="output">Takes the help.</param>
/// <param name="error">Takes errors.</param>
public sealed class ProgramRun(RootCommand root, string program, TextWriter output, TextWriter error)
{
    /// <param name="refused">Told the problems of a command line that does not parse, or null.</param>
    /// <returns>The exit code of the process; see <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(string[] args, Action<ParseResult, string[]>? refused = null)
    {
        ValueCheck.AddTo(root);
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            string[] problems = Problems(parsed);
            foreach (string problem in problems)
            {
                error.WriteLine($"error: {problem}");
            }

            refused?.Invoke(parsed, problems);
            error.WriteLine($"Try '{Path(parsed.CommandResult)} --help'.");
            return (int)ExitCode.Usage;
        }

        try
        {
            // Signals are ours (StopSignal): the library would end the process before the checkpoint is written.
            var invocation = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            return Failures.Report(e, error);
        }
    }

    private static string[] Problems(ParseResult parsed)
    {
        bool isUnknown = parsed.UnmatchedTokens.Count > 0;
        return
        [
            .. parsed.Errors.Where(problem => !isUnknown || Names(problem, parsed.UnmatchedTokens))
                .Select(problem => problem.Message + Hint(parsed, problem)),
        ];
    }

    private static string Hint(ParseResult parsed, ParseError problem)
    {
        string? unknown = parsed.UnmatchedTokens.FirstOrDefault(token => Names(problem, [token]));
        if (unknown is null)
        {
            return "";
        }

        Command command = parsed.CommandResult.Command;
        IEnumerable<string> known = unknown.StartsWith('-')
            ? command.Options.SelectMany(option => option.Aliases.Prepend(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        return known.Any() ? NearMatch.Suggest(unknown, known) : "";
    }

    /// <summary>An unknown word also leaves something else missing: the word is what the user wants to hear of.</summary>
    private static bool Names(ParseError problem, IReadOnlyList<string> tokens) =>
        tokens.Any(token => problem.Message.Contains($"'{token}'", StringComparison.Ordinal));

    private string Path(CommandResult result)
    {
        string name = result.Parent is null ? program : result.Command.Name;
        return result.Parent is CommandResult parent ? $"{Path(parent)} {name}" : name;
    }
}
