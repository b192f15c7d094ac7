using System.CommandLine;
using System.CommandLine.Parsing;

namespace ConvNet.Client.Commands;

/// <summary>The options of a command that runs a job: where, until when, and what it prints.</summary>
internal sealed class RunOptions
{
    public Option<string?> Cluster { get; } = ClusterOption();

    public Option<long?> StopAfter { get; } = WholeNumber.Option("--stop-after", "Stop when N steps of the job are complete; go on later with 'resume'");

    public Option<bool> Json { get; } = JsonOption();

    /// <summary>Scripts may know it already; saying what is missing is better than an unknown option.</summary>
    public Option<bool> Detach { get; } = new("--detach")
    {
        Hidden = true,
        Validators = { Refuse },
    };

    public static Option<bool> JsonOption() => new("--json") { Description = "Print events as JSON, one object a line" };

    public static Option<string?> ClusterOption() => new("--cluster")
    {
        Description = "Use the silos of a running cluster: dev://host:port[?gateway=PORT]",
        HelpName = "URL",
    };

    public void AddTo(Command command)
    {
        command.Add(StopAfter);
        command.Add(Cluster);
        command.Add(Json);
        command.Add(Detach);
    }

    public RunChoices Read(ParseResult parsed) => new(parsed.GetValue(StopAfter), parsed.GetValue(Cluster), parsed.GetValue(Json));

    private static void Refuse(OptionResult detach)
    {
        if (!detach.Implicit)
        {
            detach.AddError("--detach is not in this version yet: the run lives in this process. Leave it out.");
        }
    }
}
