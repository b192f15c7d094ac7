using System.Text.Json;
using ConvNet.Client.Commands;
using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(2, "Did you mean 'train'?", "tran")]
    [InlineData(2, "Did you mean '--epochs'?", "train", "--epcohs", "3")]
    [InlineData(2, "--batch takes a whole number; got 'abc'", "train", "--batch", "abc")]
    [InlineData(2, "--batch takes a whole number; got '3.5'", "train", "--batch", "3.5")]
    [InlineData(2, "exclude each other", "train", "--epochs", "3", "--steps", "4")]
    [InlineData(2, "exclude each other", "train", "--epochs", "3", "-s", "train.steps=4")]
    [InlineData(2, "a number with a decimal point; got '0,1'", "train", "-s", "optimizer.learningRate=0,1")]
    [InlineData(2, "there is no setting 'optimizer.learning'. Did you mean 'optimizer.learningRate'?", "train", "-s", "optimizer.learning=1")]
    [InlineData(2, "-s takes path.to.key=value; got 'nonsense'", "train", "-s", "nonsense")]
    [InlineData(2, "--stop-after takes a whole number; got 'x'", "train", "--stop-after", "x")]
    [InlineData(2, "--steps is given 2 times, but only 1 time(s) with a value", "train", "--steps", "10", "--steps")]
    [InlineData(2, "--detach needs --cluster URL", "train", "--detach")]
    [InlineData(2, "--detach needs --cluster URL", "resume", "runs/none", "--detach")]
    [InlineData(2, "Option '--cluster' is required", "job", "wait", "a")]
    [InlineData(3, "is no cluster URL", "job", "wait", "a", "--cluster", "http://127.0.0.1")]
    [InlineData(3, "--job: 'a/b' must be 1 to 100 letters", "train", "--job", "a/b")]
    [InlineData(3, "--name: 'a b' must be 1 to 63 letters", "silo", "--name", "a b", "--cluster", "dev://127.0.0.1:1")]
    [InlineData(3, "--name: '../a' must be 1 to 63 letters", "silo", "--name", "../a", "--cluster", "dev://127.0.0.1:1")]
    [InlineData(3, "ID: 'a/b' must be 1 to 100 letters", "job", "pause", "a/b", "--cluster", "dev://127.0.0.1:1")]
    [InlineData(3, "--priority must be from -1000 to 1000; got 1001", "train", "--priority", "1001")]
    [InlineData(3, "--min-workers must be from 1 to 2; got 3", "train", "--min-workers", "3", "--workers", "2")]
    [InlineData(3, "--min-workers must be from 1 to 2; got 0", "train", "--min-workers", "0")]
    [InlineData(3, "--job: '-' must be", "train", "--job=-")]
    [InlineData(2, "--device: 'gup' is no device; there are auto, cpu, gpu, gpu:0, gpu:1 and so on, emulated", "train", "--device", "gup")]
    [InlineData(2, "Did you mean 'gpu'?", "resume", "runs/a", "--device", "cpu,gup")]
    [InlineData(2, "--device: 'gpu:' is no device", "eval", "runs/a", "--device", "gpu:")]
    [InlineData(2, "--device: 'gpu:-1' is no device", "verify", "--device", "gpu:-1")]
    [InlineData(2, "--device: 'CPU' is no device", "silo", "--name", "a", "--cluster", "dev://127.0.0.1:1", "--device", "CPU")]
    [InlineData(2, "--device: 'auto,cpu' has auto in a list", "bench", "engine", "--device", "auto,cpu")]
    [InlineData(2, "--device takes one device here; got 'cpu,cpu'.", "bench", "engine", "--device", "cpu,cpu")]
    [InlineData(2, "layout.device: 'x' is no device", "train", "-s", "layout.device=x")]
    [InlineData(2, "--device and --cluster exclude each other", "train", "--device", "cpu", "--cluster", "dev://127.0.0.1:1")]
    [InlineData(2, "--out takes a value; got ''", "train", "--out", "")]
    [InlineData(2, "--config takes a value; got ''", "train", "--config", "")]
    [InlineData(2, "--model takes a value; got ''", "train", "--model", "")]
    [InlineData(2, "DIR takes a value; got ''", "resume", "")]
    [InlineData(2, "DIR takes a value; got ''", "eval", "")]
    [InlineData(2, "DIR takes a value; got ''", "verify", "")]
    [InlineData(2, "DIR takes a value; got ''", "checkpoint", "verify", "")]
    [InlineData(2, "PATH takes a value; got ''", "data", "check", "")]
    [InlineData(3, "--seed must be from 0 to 9223372036854775807; got a number", "train", "--seed", "99999999999999999999")]
    [InlineData(3, "train.seed must be from 0 to 9223372036854775807; got a number", "train", "-s", "train.seed=9223372036854775808")]
    [InlineData(3, "train.batch must be from 1 to 1048576; got 0", "train", "-s", "train.batch=0")]
    [InlineData(3, "--batch must be from 1 to 1048576; got 0", "train", "--batch", "0")]
    [InlineData(3, "--batch must be from 1 to 1048576; got -1", "train", "--batch", "-1")]
    [InlineData(3, "--batch must be from 1 to 1048576; got 2147483648", "train", "--batch", "2147483648")]
    [InlineData(3, "--epochs must be from 1 to 1000000; got 1000000000000000000", "train", "--epochs", "1000000000000000000")]
    [InlineData(3, "--epochs must be from 1 to 1000000; got a number that is far outside", "train", "--epochs", "99999999999999999999")]
    [InlineData(3, "--learning-rate must be a finite number, at least 0; got NaN", "train", "--learning-rate", "NaN")]
    [InlineData(3, "--learning-rate must be a finite number, at least 0; got -1", "train", "--learning-rate", "-1")]
    [InlineData(3, "--learning-rate must be a finite number, at least 0", "train", "--learning-rate", "1e400")]
    [InlineData(3, "--workers must be from 1", "train", "--workers", "0")]
    [InlineData(3, "that changes the result", "train", "--workers", "5")]
    [InlineData(3, "Did you mean 'sgd'?", "train", "--optimizer", "sdg")]
    [InlineData(3, "configuration file '/none.yaml' does not exist", "train", "--config", "/none.yaml")]
    [InlineData(3, "checkpoint.keep must be from 2 to 2147483647; got 1.", "train", "-s", "checkpoint.keep=1")]
    [InlineData(3, "checkpoint.everySteps must be from 0", "train", "-s", "checkpoint.everySteps=-1")]
    [InlineData(3, "checkpoint.everyMinutes must be a finite number, at least 0; got NaN", "train", "-s", "checkpoint.everyMinutes=NaN")]
    [InlineData(3, "the 12000 training images are less than one batch of 12001", "train", "--batch", "12001", "-s", "train.dropLast=true")]
    [InlineData(3, "unknown model 'fashion-cn'", "train", "--model", "fashion-cn")]
    [InlineData(3, "no such folder", "train", "--data", "/no/such/folder")]
    [InlineData(3, "no such folder", "data", "check", "/no/such/folder")]
    public async Task Wrong_input_gives_one_clear_error_and_its_exit_code(int code, string message, params string[] args)
    {
        CommandLineRun run = await CommandLineRun.RunAsync(args);

        Assert.Equal(code, run.ExitCode);
        Assert.StartsWith("error: ", run.Error);
        Assert.Contains(message, run.Error);
        Assert.DoesNotContain("   at ", run.Error);
        Assert.Equal("", run.Out);
    }

    [Theory]
    [InlineData(11999, "12000 mod 11999 = 1 of the training images", "such as --batch 11998")]
    [InlineData(1, "a batch of 1 leave a single value per channel", "use a larger batch")]
    public async Task A_batch_norm_over_single_values_says_which_batch_has_one_sample_and_names_a_way_out(int batch, string what, string remedy)
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write(
            "m.json", """{"name":"m","input":[1,28,28],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":10},{"type":"batchNorm"}]}""");

        CommandLineRun run = await CommandLineRun.RunAsync("train", "--model", model, "--batch", $"{batch}");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(what, run.Error);
        Assert.Contains(remedy, run.Error);
    }

    [Fact]
    public async Task All_problems_of_a_configuration_are_reported_at_once()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("train", "--batch", "0", "--seed", "-1", "-s", "schedule.factor=0");

        Assert.Equal(3, run.Error.Split("error: ").Length - 1);
    }

    [Theory]
    [InlineData("train", "--model", "nonsense")]
    [InlineData("train", "--batch", "0")]
    [InlineData("resume", "/no/such/folder")]
    public async Task With_json_a_run_that_cannot_begin_says_so_in_an_event(params string[] args)
    {
        CommandLineRun run = await CommandLineRun.RunAsync([.. args, "--json"]);

        Assert.Equal(3, run.ExitCode);
        using JsonDocument line = JsonDocument.Parse(run.Out);
        Assert.Equal("run.failed", line.RootElement.GetProperty("event").GetString());
        Assert.Equal(3, line.RootElement.GetProperty("exitCode").GetInt32());
        Assert.Contains(line.RootElement.GetProperty("error").GetString()!, run.Error);
    }

    [Fact]
    public async Task With_json_a_command_line_that_does_not_parse_is_an_event_of_train()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("train", "--json", "--steps", "x");

        Assert.Equal(2, run.ExitCode);
        using JsonDocument line = JsonDocument.Parse(run.Out);
        Assert.Equal(2, line.RootElement.GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public async Task A_model_that_train_refuses_is_not_shown()
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write("open.json", """{"name":"open","input":[1,28,28],"layers":[{"type":"relu"}]}""");

        CommandLineRun run = await CommandLineRun.RunAsync("model", "show", model);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("Cx1x1", run.Error);
    }

    [Theory]
    [InlineData("model", "show", "--json", "resnet20")]
    [InlineData("data", "check", "--json", "fashion-mnist-mini")]
    [InlineData("bench", "engine", "--json", "--model", "lenet", "--batch", "8", "--steps", "2")]
    public async Task Json_output_of_a_query_is_one_line(params string[] args)
    {
        CommandLineRun run = await CommandLineRun.RunAsync(args);

        Assert.Equal(0, run.ExitCode);
        Assert.Single(run.Out.TrimEnd().Split('\n'));
        using JsonDocument line = JsonDocument.Parse(run.Out);
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task A_convolution_that_does_not_fit_is_refused_with_its_arithmetic()
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write(
            "model.json",
            """
            {"name":"odd","input":[1,28,28],
            "layers":[{"type":"conv","out":8,"kernel":3,"stride":2},{"type":"flatten"},{"type":"fullyConnected","out":10}]}
            """);

        CommandLineRun refused = await CommandLineRun.RunAsync("model", "show", model);
        CommandLineRun shown = await CommandLineRun.RunAsync(
            "model", "show", folder.Write("floor.json", File.ReadAllText(model).Replace("\"stride\":2", "\"stride\":2,\"rounding\":\"floor\"")));

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("13.5", refused.Error);
        Assert.Equal(0, shown.ExitCode);
    }

    [Fact]
    public async Task The_layer_table_shows_volumes_with_their_arithmetic()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("model", "show", "vgg11-bn", "--data", "fashion-mnist-mini");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("(32 - 3 + 2*1)/1 + 1 = 32", run.Out);
        Assert.Contains("padded by 2 pixels", run.Out);
        Assert.DoesNotContain('\e', run.Out);
    }

    [Fact]
    public async Task Every_command_has_help_with_an_example()
    {
        foreach (string[] command in Commands(CommandLine.Root(Terminal.Process())))
        {
            CommandLineRun run = await CommandLineRun.RunAsync([.. command, "--help"]);

            Assert.Equal(0, run.ExitCode);
            Assert.Contains($"Example: convnet {string.Join(' ', command)}", run.Out);
        }
    }

    /// <summary>The commands that do something, as words.</summary>
    private static IEnumerable<string[]> Commands(System.CommandLine.Command command, params string[] path) =>
        command.Subcommands.Count == 0
            ? [path]
            : command.Subcommands.SelectMany(sub => Commands(sub, [.. path, sub.Name]));

    [Fact]
    public async Task A_name_in_a_model_file_is_printable_for_people_and_itself_in_json()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write(
            "m.json", """{"name":"a\u001b[2J\u202eb","input":[1,4,4],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":2}]}""");

        CommandLineRun shown = await CommandLineRun.RunAsync("model", "show", file);
        CommandLineRun json = await CommandLineRun.RunAsync("model", "show", file, "--json");
        CommandLineRun refused = await CommandLineRun.RunAsync("model", "show", $"{file}\e[31m\u2066");

        Assert.StartsWith("a\\u{1b}[2J\\u{202e}b: input 1x4x4", shown.Out);
        Assert.Equal("a\e[2J\u202eb", JsonDocument.Parse(json.Out).RootElement.GetProperty("name").GetString());
        Assert.Contains("\\u{1b}[31m\\u{2066}", refused.Error);
        Assert.DoesNotContain(shown.Out + json.Out + refused.Error, character => character != '\n' && char.IsControl(character));
    }
}
