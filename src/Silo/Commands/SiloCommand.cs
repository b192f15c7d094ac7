using System.Collections;
using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Configuration;
using ConvNet.Silo.Processes;
using Serilog;
using Serilog.Core;

namespace ConvNet.Silo.Commands;

/// <summary>One process of a cluster: <c>convnet-silo</c>, and <c>convnet silo</c>, which is the same.</summary>
public static class SiloCommand
{
    /// <summary>What to type in an example stands after it.</summary>
    private static string Describe(string line) =>
        $"""
        Runs one silo of a cluster until Ctrl-C. In a dev:// cluster, the silo whose own --port is the port of the URL is the primary.

        What an option says can also stand in the file of --config (redisPasswordFile: FILE for --redis-password-file FILE) or in an
        environment variable ({SiloKeys.RedisPasswordFile.Variable}). Options win over variables, variables over the file.

        Example: {line} --name node-1 --cluster dev://127.0.0.1:11111 --port 11111 --gateway 30000
        """;

    /// <summary>As a command of a program that has others.</summary>
    /// <param name="line">How users call it.</param>
    /// <param name="output">Takes what the silo is.</param>
    /// <param name="error">Takes what happens to it.</param>
    public static Command Create(string name, string line, TextWriter output, TextWriter error) =>
        Fill(new Command(name, Describe(line)), output, error);

    /// <summary>As a program of its own.</summary>
    /// <inheritdoc cref="Create"/>
    public static RootCommand CreateRoot(string line, TextWriter output, TextWriter error) =>
        Fill(new RootCommand(Describe(line)), output, error);

    private static T Fill<T>(T command, TextWriter output, TextWriter error)
        where T : Command
    {
        (SiloKey Key, Option Option)[] options = [.. SiloKeys.All.Select(key => (key, OptionOf(key)))];
        foreach ((_, Option option) in options)
        {
            command.Add(option);
        }

        command.SetAction((parsed, _) => RunAsync(
            [.. options.Select(pair => Given(parsed, pair.Key, pair.Option)).OfType<SiloSetting>()], output, error));
        return command;
    }

    private static Option OptionOf(SiloKey key)
    {
        if (key.HelpName is null)
        {
            return new Option<bool>(key.Flag) { Description = key.Description };
        }

        var option = new Option<string?>(key.Flag) { Description = key.Description, HelpName = key.HelpName };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && key.Fault(result.Tokens[0].Value) is { } fault)
            {
                result.AddError(key.Flag + fault);
            }
        });
        return option;
    }

    private static SiloSetting? Given(ParseResult parsed, SiloKey key, Option option) => parsed.GetResult(option) is { Implicit: false } result
        ? SiloSetting.Option(key, result.Tokens is [.., Token last] ? last.Value : "true")
        : null;

    private static async Task<int> RunAsync(IReadOnlyList<SiloSetting> options, TextWriter output, TextWriter error)
    {
        var configuration = SiloConfiguration.Read(options, Variables());
        try
        {
            return await RunAsync(configuration.Resolve(), configuration.LogPath, output, error);
        }
        catch (ConvNetException e)
        {
            throw configuration.InItsWords(e);
        }
    }

    private static async Task<int> RunAsync(ConvNetSiloOptions options, string logPath, TextWriter output, TextWriter error)
    {
        using Logger log = OpenLog(logPath);
        using var stop = new StopSignal(_ => error.WriteLine("Leaving the cluster. Ctrl-C again leaves at once."));
        try
        {
            await SiloHost.RunAsync(
                options,
                logging => logging.AddSerilog(log),
                sentence => error.WriteLine($"warning: {sentence}"),
                () => error.WriteLine($"Waiting for {options.Cluster.Entrance} ..."),
                devices => Announce(options, devices, output),
                error.WriteLine,
                sentence => error.WriteLine($"error: {sentence}"),
                stop.Token);
        }
        catch (OperationCanceledException) when (stop.Requested is not null)
        {
            // Asked to leave while it was joining.
        }
        catch (Exception e)
        {
            log.Error(e, "The silo ended");
            throw;
        }

        return (int)(stop.Requested ?? ExitCode.Ok);
    }

    private static Logger OpenLog(string path)
    {
        try
        {
            return RunLog.Open(path);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw new ConvNetException(
                FileFailure.CodeOf(e), $"--log '{path}' cannot be written: {e.Message.TrimEnd('.')}. Name another file, or make its folder writable.", e);
        }
    }

    private static void Announce(ConvNetSiloOptions options, string devices, TextWriter output)
    {
        output.WriteLine(
            $"Silo {options.Name} is in the cluster {options.Cluster.Url}: port {options.Ports.Silos}, gateway {options.Ports.Clients}, " +
            $"{options.Devices} device(s) with {options.Threads} thread(s){(options.Workers ? $" on {devices}" : "")}.");
        output.Flush();
    }

    private static Dictionary<string, string> Variables() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "");
}
