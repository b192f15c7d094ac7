using System.CommandLine;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;

namespace ConvNet.Client.Commands;

/// <summary>The options that describe a job: what decides the result, and from where settings come.</summary>
internal sealed class JobOptions
{
    private readonly List<KeyOption> _keys =
    [
        new("--model", "model", "NAME|FILE.json", "Preset (lenet, fashion-cnn, resnet20, vgg11-bn) or model file [fashion-cnn]"),
        new("--data", "data.path", "NAME|PATH", "Built-in data set or folder (IDX, CIFAR, images) [fashion-mnist-mini]"),
        new("--epochs", "train.epochs", "N", "Passes over the training images [2]"),
        new("--steps", "train.steps", "N", "Length in optimizer steps instead of epochs"),
        new("--batch", "train.batch", "N", "Samples of one step, over all workers [64]"),
        new("--data-shards", "train.dataShards", "N", "Fixed parts of every batch; part of the job, changes the result [4]"),
        new("--seed", "train.seed", "N", "Seed of everything random [1]"),
        new("--optimizer", "optimizer.type", "NAME", "sgd, adam, adamw or lars [sgd]"),
        new("--learning-rate", "optimizer.learningRate", "X", "Base learning rate [0.01]"),
    ];

    public Option<string?> Config { get; } = new("--config") { Description = "Settings from a YAML file", HelpName = "FILE" };

    public Option<string[]> Settings { get; } = new("--set", "-s")
    {
        Description = "One setting, e.g. -s optimizer.weightDecay=1e-4; may be repeated",
        HelpName = "path.to.key=value",
    };

    public void AddTo(Command command)
    {
        foreach (KeyOption key in _keys)
        {
            command.Add(key.Option);
        }

        command.Add(Config);
        command.Add(Settings);
    }

    /// <summary>
    /// Flags go before <c>-s</c>, <c>-s</c> before the file, the file before the defaults.
    /// </summary>
    public TrainConfiguration Resolve(ParseResult parsed, LayoutOptions? layout = null)
    {
        var configuration = new TrainConfiguration();
        IReadOnlyList<Setting> written = parsed.GetValue(Config) is { } file ? ConfigurationFile.Read(file) : [];
        Setting.Apply(configuration, written, ExitCode.BadInput);

        IEnumerable<Setting?> flags = [.. _keys.Select(key => key.Read(parsed)), .. layout?.Read(parsed) ?? []];
        Setting[] assignments = [.. (parsed.GetValue(Settings) ?? []).Select(Setting.Parse)];
        Setting[] given = [.. assignments, .. flags.OfType<Setting>()];
        Setting.Apply(configuration, given, ExitCode.Usage);
        Setting.Check(configuration, [.. written, .. given]);
        return configuration;
    }

    /// <summary>Whether any of them is on the command line.</summary>
    public bool AreGiven(ParseResult parsed) =>
        _keys.Any(key => key.Read(parsed) is not null) || parsed.GetValue(Config) is not null || parsed.GetValue(Settings) is { Length: > 0 };
}
