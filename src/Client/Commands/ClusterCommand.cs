using System.CommandLine;
using ConvNet.Client.Views;

namespace ConvNet.Client.Commands;

/// <summary>cluster: what belongs to a cluster as a whole.</summary>
internal static class ClusterCommand
{
    public static Command Create(Terminal terminal) => new("cluster", "Makes what the silos and clients of a cluster need.")
    {
        CertificateCommand.Create(terminal),
    };
}
