using System.Text.Json;
using ConvNet.Silo.Devices;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

public sealed class DevicesCommandTests
{
    [Fact]
    public async Task The_processor_is_there_and_a_gpu_or_the_reason_why_there_is_none()
    {
        CommandLineRun run = await CommandLineRun.RunAsync("devices", "--json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement devices = JsonDocument.Parse(run.Out).RootElement;
        JsonElement processor = devices.GetProperty("devices")[0];
        Assert.Equal("cpu", processor.GetProperty("name").GetString());
        Assert.True(processor.GetProperty("usable").GetBoolean());
        Assert.True(processor.GetProperty("memoryBytes").GetInt64() > 1 << 20);
        Assert.Equal(devices.GetProperty("devices").GetArrayLength() == 1, devices.GetProperty("missing").ValueKind == JsonValueKind.String);
    }

    [Fact]
    public async Task Where_there_is_no_driver_a_table_says_so_and_a_gpu_is_refused()
    {
        Assert.SkipWhen(Gpus.Read().Missing is null, "This machine has a GPU.");

        CommandLineRun table = await CommandLineRun.RunAsync("devices");
        using var folder = new TemporaryFolder();
        CommandLineRun any = await CommandLineRun.RunAsync("train", "--device", "gpu", "--out", folder["run"]);
        CommandLineRun second = await CommandLineRun.RunAsync("bench", "engine", "--model", "lenet", "--device", "gpu:1");

        Assert.Contains("No GPU: ", table.Out);
        Assert.EndsWith("--device auto takes cpu.\n", table.Out);
        Assert.Equal(7, any.ExitCode);
        Assert.StartsWith("error: there is no GPU: ", any.Error);
        Assert.Contains("--device cpu", any.Error);
        Assert.Equal(7, second.ExitCode);
        Assert.Contains("there is no gpu:1: ", second.Error);
        Assert.False(Directory.Exists(folder["run"]));
    }
}
