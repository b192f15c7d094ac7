using System.CommandLine;
using ConvNet.Client.Views;

namespace ConvNet.Client.Commands;

/// <summary>cluster: looks at a running cluster.</summary>
internal static class ClusterCommand
{
    public static Command Create(Terminal terminal) => new("cluster", "Looks at a running cluster.")
    {
        ClusterStatusCommand.Create(terminal),
    };
}
