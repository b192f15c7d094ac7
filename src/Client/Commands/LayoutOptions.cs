using System.CommandLine;
using ConvNet.Client.Configuration;

namespace ConvNet.Client.Commands;

/// <summary>The options that say how a job is spread over a cluster; they never change its result.</summary>
internal sealed class LayoutOptions
{
    private readonly KeyOption[] _keys =
    [
        new("--workers", "layout.workers", "N", "Workers, from 1 to the number of data shards [2]"),
        new("--min-workers", "layout.minWorkers", "N", "Start with N workers, and take on the others when they are free [--workers]"),
        new("--silos", "layout.silos", "N", "Silos of the local cluster [1]"),
        new("--threads", "layout.threads", "N", "Compute threads per worker [cores / workers]"),
    ];

    public void AddTo(Command command)
    {
        foreach (KeyOption key in _keys)
        {
            command.Add(key.Option);
        }
    }

    public IEnumerable<Setting?> Read(ParseResult parsed) => _keys.Select(key => key.Read(parsed));
}
