using System.CommandLine;
using ConvNet.Client.Views;

namespace ConvNet.Client.Commands;

/// <summary>bench engine and bench layers: how fast one worker is by itself, and where its time goes.</summary>
internal static class BenchCommand
{
    public static Command Create(Terminal terminal) =>
        new("bench", "Measures speed") { BenchEngineCommand.Create(terminal), BenchLayersCommand.Create(terminal) };
}
