using System.CommandLine;
using ConvNet.Client.Views;

namespace ConvNet.Client.Commands;

/// <summary>cluster: what belongs to a cluster as a whole.</summary>
internal static class ClusterCommand
{
    public static Command Create(Terminal terminal) => new(
        "cluster", "Looks at a running cluster, empties its silos, and makes what its silos and clients need.")
    {
        ClusterStatusCommand.Create(terminal),
        ClusterDrainCommand.Create(terminal),
        CertificateCommand.Create(terminal),
    };
}
