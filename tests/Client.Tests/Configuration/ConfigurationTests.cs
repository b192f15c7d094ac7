using ConvNet.Client.Commands;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using Xunit;

namespace ConvNet.Client.Tests.Configuration;

public sealed class ConfigurationTests
{
    [Fact]
    public void Flags_win_over_settings_over_the_file_over_defaults()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", "model: lenet\ntrain: {batch: 10, seed: 20, dataShards: 8}\noptimizer:\n  weightDecay: 0.25\n");

        TrainConfiguration configuration = Resolve("--config", file, "-s", "train.batch=30", "-s", "train.seed=40", "--batch", "50");

        Assert.Equal("lenet", configuration.Model);
        Assert.Equal(50, configuration.Train.Batch);
        Assert.Equal(40, configuration.Train.Seed);
        Assert.Equal(8, configuration.Train.DataShards);
        Assert.Equal(0.25, configuration.Optimizer.WeightDecay);
        Assert.Equal(2, configuration.Train.Epochs);
    }

    [Fact]
    public void Steps_given_on_the_command_line_replace_the_epochs_of_the_file()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", "train:\n  epochs: 7\n");

        TrainConfiguration configuration = Resolve("--config", file, "--steps", "40");

        Assert.Null(configuration.Train.Epochs);
        Assert.Equal(40, configuration.Train.Steps);
    }

    [Fact]
    public void The_written_configuration_reads_back_to_the_same_values()
    {
        using var folder = new TemporaryFolder();
        TrainConfiguration configuration = Resolve(
            "--model", "lenet", "--steps", "40", "--batch", "7", "--learning-rate", "0.1", "-s", "train.clipNorm=0.30000000000000004",
            "-s", "optimizer.epsilon=1e-300", "-s", "data.size=32x32", "-s", "augmentation.flip=true", "--threads", "2", "--data", "/12",
            "-s", "train.nonFinite=stop");

        string text = ConfigurationFile.Write(configuration);
        var read = new TrainConfiguration();
        Setting.Apply(read, ConfigurationFile.Read(folder.Write("config.yaml", text)), ExitCode.BadInput);

        Assert.Equal(configuration, read);
    }

    [Theory]
    [InlineData("learning_rte: 1", ":1:1: there is no setting 'learning_rte'")]
    [InlineData("train:\n  bacth: 3", ":2:3: there is no setting 'train.bacth'. Did you mean 'train.batch'?")]
    [InlineData("trian:\n  batch: 3", ":1:1: there is no section 'trian'. Did you mean 'train'?")]
    [InlineData("train:\n  batch: 3\n  batch: 4", ":3:3: 'train.batch' is given twice")]
    [InlineData("train:\n  batch: x", ":2:10: train.batch takes a whole number; got 'x'")]
    [InlineData("train:\n  seed: 9223372036854775808", ":2:9: train.seed must be from 0 to 9223372036854775807")]
    [InlineData("train:\n\tbatch: 3", "not valid YAML")]
    [InlineData("train:\n  batch: [3]", ":2:10: 'train.batch' takes one plain value")]
    [InlineData("model: &a lenet\ndata: {path: *a}", "anchors and aliases are not allowed")]
    [InlineData("model: !!str lenet", "tags are not allowed")]
    [InlineData("train:\n  batch: 4\n  {seed: 1\n  batchNorm: sync\n  i", ":2:11: not valid YAML")]
    [InlineData("- a\n- b", "expected settings such as")]
    [InlineData("train: {epochs: 2, steps: 3}", "exclude each other")]
    public void A_wrong_file_is_refused_with_its_place(string yaml, string message)
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", yaml);

        ConvNetException error = Assert.Throws<ConvNetException>(() => Resolve("--config", file));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Deeply_nested_yaml_is_refused_quickly()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", "train: " + new string('{', 10_000));

        Assert.Throws<ConvNetException>(() => ConfigurationFile.Read(file));
    }

    [Fact]
    public void Paths_in_a_file_are_relative_to_it_and_names_stay_names()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", "model: nets/my.json\ndata:\n  path: fashion-mnist\n");

        TrainConfiguration configuration = Resolve("--config", file);

        Assert.Equal(folder["nets/my.json"], configuration.Model);
        Assert.Equal("fashion-mnist", configuration.Data.Path);
    }

    [Fact]
    public void A_bare_name_that_is_not_built_in_is_a_path_from_the_file()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("job.yaml", "model: net\ndata:\n  path: mine\n  channels: 1\n  testShare: 0.2\n");

        TrainConfiguration configuration = Resolve("--config", file);

        Assert.Equal(folder["net"], configuration.Model);
        Assert.Equal(folder["mine"], configuration.Data.Path);
        Assert.Equal((1, 0.2), (configuration.Data.Channels, configuration.Data.TestShare));
        Assert.Contains("data.channels must be 1", Assert.Throws<ConvNetException>(() => Resolve("-s", "data.channels=2")).Message);
        Assert.Contains("data.testShare must be above 0", Assert.Throws<ConvNetException>(() => Resolve("-s", "data.testShare=1")).Message);
    }

    private static TrainConfiguration Resolve(params string[] args)
    {
        var job = new JobOptions();
        var layout = new LayoutOptions();
        var command = new System.CommandLine.RootCommand();
        job.AddTo(command);
        layout.AddTo(command, new System.CommandLine.Option<string?>("--cluster"));
        System.CommandLine.ParseResult parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);
        return job.Resolve(parsed, layout);
    }
}
