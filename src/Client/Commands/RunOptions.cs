using System.CommandLine;

namespace ConvNet.Client.Commands;

/// <summary>The options of a command that runs a job: where, until when, and what it prints.</summary>
internal sealed class RunOptions
{
    public ClusterOptions Cluster { get; } = new(isRequired: false);

    public Option<long?> StopAfter { get; } = WholeNumber.Option("--stop-after", "Stop when N steps of the job are complete; go on later with 'resume'");

    public Option<string?> Job { get; } = new("--job") { Description = "Name of the job in the cluster [made up]", HelpName = "ID" };

    public Option<long?> Priority { get; } = WholeNumber.Option("--priority", "Of the jobs that wait for workers, the highest N goes first [0]");

    public Option<bool> Detach { get; } = new("--detach")
    {
        Description = "Submit the job to the cluster and end; it writes its run folder by itself ('convnet job wait ID')",
    };

    public Option<bool> Json { get; } = JsonOption();

    public static Option<bool> JsonOption() => new("--json") { Description = "Print events as JSON, one object a line" };

    public void AddTo(Command command)
    {
        command.Add(StopAfter);
        Cluster.AddTo(command);
        command.Add(Job);
        command.Add(Priority);
        command.Add(Detach);
        command.Add(Json);
    }

    public RunChoices Read(ParseResult parsed) => new(
        parsed.GetValue(StopAfter),
        parsed.GetValue(Cluster.Cluster),
        parsed.GetValue(Cluster.RedisPasswordFile),
        parsed.GetValue(Cluster.Tls),
        parsed.GetValue(Job),
        parsed.GetValue(Detach),
        parsed.GetValue(Json))
    {
        RedisCa = parsed.GetValue(Cluster.RedisCa),
        Priority = parsed.GetValue(Priority) ?? 0,
    };
}
