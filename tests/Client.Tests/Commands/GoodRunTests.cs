using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using ConvNet.Client.Tests.BadInputs;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

/// <summary>What commands say of a run that is as it should be, and of other data.</summary>
public sealed class GoodRunTests(GoodRun good) : IClassFixture<GoodRun>
{
    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Everything_in_a_run_folder_is_for_its_owner_alone()
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string[] files = Directory.GetFiles(good.RunFolder, "*", SearchOption.AllDirectories);

        Assert.Equal(
            [
                ".lock", "client.clef", "config.resolved.yaml", "events.jsonl", "manifest.json", "metrics.csv", "model.json", "model.safetensors",
                "optimizer.safetensors", "state.msgpack",
            ],
            files.Select(file => Path.GetFileName(file)!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(Owner, File.GetUnixFileMode(file)));
        Assert.All(
            Directory.GetDirectories(good.RunFolder, "*", SearchOption.AllDirectories).Append(good.RunFolder),
            folder => Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(folder)));
    }

    [Fact]
    public async Task A_data_set_is_described_with_its_classes_and_what_is_not_used()
    {
        using var files = new SpoiltFiles("");
        string data = files.Pictures("notes.txt", [1]);

        CommandLineRun run = await CommandLineRun.RunAsync("data", "check", data);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("", run.Error);
        string[] lines = run.Out.TrimEnd().Split('\n');
        Assert.Equal($"{data}: 2 training and 2 test images of 1x4x4, 2 classes", lines[0]);
        Assert.Contains("note: 1 file is ignored (no image): a/notes.txt.", lines);
        Assert.Equal("   1  b                               1 training        1 test", lines[^1]);
    }

    [Fact]
    public async Task All_faults_of_a_data_set_are_listed()
    {
        using var files = new SpoiltFiles("");
        for (int i = 10; i < 40; i++)
        {
            files.Pictures($"{i}.png", [1]);
        }

        CommandLineRun run = await CommandLineRun.RunAsync("data", "check", files.Folder["pictures"]);

        Assert.Equal(3, run.ExitCode);
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.Equal(30, lines.Length);
        Assert.All(lines, line => Assert.EndsWith("is no PNG, JPEG, WebP, BMP or GIF: it starts with 01 at byte 0. Convert or remove it.", line));
    }

    [Fact]
    public async Task Names_of_classes_cannot_steer_a_terminal()
    {
        using var files = new SpoiltFiles("");
        Directory.Move(Path.Combine(files.Pictures(), "train/a"), files.Folder["pictures/train/a\n\e[31m"]);
        Directory.Move(files.Folder["pictures/test/a"], files.Folder["pictures/test/a\n\e[31m"]);

        CommandLineRun check = await CommandLineRun.RunAsync("data", "check", files.Folder["pictures"]);
        CommandLineRun evaluated = await CommandLineRun.RunAsync("eval", good.RunFolder, "--data", files.Folder["pictures"]);

        Assert.Contains(@"   0  a\u{a}\u{1b}[31m ", check.Out);
        Assert.Equal(3, evaluated.ExitCode);
        Assert.Contains(
            @"the model does not know the classes a\u{a}\u{1b}[31m, b. The data have a\u{a}\u{1b}[31m, b; the model was trained on 0, 1.", evaluated.Error);
        Assert.DoesNotContain('\e', check.Out + evaluated.Error);
    }

    [Fact]
    public async Task Other_data_is_evaluated_by_the_names_of_its_classes()
    {
        CommandLineRun own = await CommandLineRun.RunAsync("eval", good.RunFolder, "--json", "--threads", "1");
        using var files = new SpoiltFiles("");
        Directory.Move(Path.Combine(files.Pictures(), "test/a"), files.Folder["pictures/test/1"]);
        Directory.Move(files.Folder["pictures/test/b"], files.Folder["pictures/test/0"]);
        Directory.Delete(files.Folder["pictures/train"], true);
        CommandLineRun other = await CommandLineRun.RunAsync("eval", good.RunFolder, "--json", "--threads", "1", "--data", files.Folder["pictures"]);
        files.Folder.Write("pictures/test/2/1.png", SpoiltFiles.Png(9, 9));
        CommandLineRun unknown = await CommandLineRun.RunAsync("eval", good.RunFolder, "--data", files.Folder["pictures"]);

        Assert.Equal((0, 12), (own.ExitCode, Samples(own)));
        Assert.Equal((0, 2), (other.ExitCode, Samples(other)));
        Assert.Equal(3, unknown.ExitCode);
        Assert.Contains("does not know the class 2", unknown.Error);
        CommandLineRun said = await CommandLineRun.RunAsync("eval", good.RunFolder);
        double accuracy = JsonDocument.Parse(own.Out).RootElement.GetProperty("accuracy").GetDouble();
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"small, step 4, on {good.Data}: 12 test images, loss "), said.Out);
        Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $"accuracy {accuracy:F4}\n"), said.Out);
    }

    [Fact]
    public async Task A_batch_larger_than_the_training_set_is_a_warning()
    {
        CommandLineRun run = await CommandLineRun.RunAsync(
            "train", "--model", Path.Combine(good.RunFolder, "model.json"), "--data", good.Data, "--steps", "1", "--batch", "13", "--workers", "1",
            "--threads", "1", "--out", good.RunFolder + "-2");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: a batch of 13 is larger than the 12 training images: each step takes all of them.", run.Error);
    }

    private static int Samples(CommandLineRun run) => JsonDocument.Parse(run.Out).RootElement.GetProperty("samples").GetInt32();
}
