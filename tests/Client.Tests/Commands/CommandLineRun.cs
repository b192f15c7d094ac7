using ConvNet.Client.Commands;
using ConvNet.Client.Views;

namespace ConvNet.Client.Tests.Commands;

/// <summary>Runs a command line in this process and keeps what it printed.</summary>
internal sealed record CommandLineRun(int ExitCode, string Out, string Error)
{
    public static async Task<CommandLineRun> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.RunAsync(args, new Terminal(output, error, IsInteractive: false, UsesColor: false));
        return new CommandLineRun(code, output.ToString(), error.ToString());
    }
}
