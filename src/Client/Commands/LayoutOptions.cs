using System.CommandLine;
using ConvNet.Client.Configuration;
using ConvNet.Silo.Devices;

namespace ConvNet.Client.Commands;

/// <summary>The options that say how a job is spread over a cluster; they never change its result.</summary>
internal sealed class LayoutOptions
{
    private readonly KeyOption _device = new(
        "--device",
        "layout.device",
        DeviceChoice.HelpName,
        "What the workers of the local cluster compute on; with commas, the workers go round [auto: the GPUs that can be used, else cpu]");

    private readonly KeyOption[] _keys;

    public LayoutOptions() => _keys =
    [
        new("--workers", "layout.workers", "N", "Workers, from 1 to the number of data shards [2]"),
        new("--min-workers", "layout.minWorkers", "N", "Start with N workers, and take on the others when they are free [--workers]"),
        new("--silos", "layout.silos", "N", "Silos of the local cluster [1]"),
        new("--threads", "layout.threads", "N", "Compute threads per worker [cores / workers]"),
        _device,
    ];

    /// <param name="cluster">The option that names a cluster of other processes, whose silos know by themselves what their workers compute on.</param>
    public void AddTo(Command command, Option cluster)
    {
        foreach (KeyOption key in _keys)
        {
            command.Add(key.Option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetResult(_device.Option) is not null && result.GetResult(cluster) is not null)
            {
                result.AddError(
                    "--device and --cluster exclude each other: each silo of a cluster is told by its own --device what its workers compute on. " +
                    "Give one of them.");
            }
        });
    }

    public IEnumerable<Setting?> Read(ParseResult parsed) => _keys.Select(key => key.Read(parsed));
}
