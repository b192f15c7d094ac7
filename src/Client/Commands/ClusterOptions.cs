using System.CommandLine;
using ConvNet.Silo.Clustering;

namespace ConvNet.Client.Commands;

/// <summary>The options that name a cluster in other processes.</summary>
internal sealed class ClusterOptions
{
    /// <param name="isRequired">False for a command that can do without, in a cluster of its own.</param>
    public ClusterOptions(bool isRequired) => Cluster.Required = isRequired;

    public Option<string?> Cluster { get; } = new("--cluster")
    {
        Description = "Use the silos of a running cluster: dev://host:port[?gateway=PORT], or redis://host:port?id=NAME",
        HelpName = "URL",
    };

    public Option<string?> RedisPasswordFile { get; } = new("--redis-password-file")
    {
        Description = "File with the password of the cluster's Redis in one line",
        HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        command.Add(Cluster);
        command.Add(RedisPasswordFile);
    }

    /// <summary>The cluster that a command with the required option names.</summary>
    public SiloCluster Read(ParseResult parsed) => SiloCluster.Parse(parsed.GetValue(Cluster)!, parsed.GetValue(RedisPasswordFile));
}
