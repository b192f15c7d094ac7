using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>convnet-silo, told what to do by a file, by its environment and by options.</summary>
public sealed class SiloProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Silos_that_a_file_and_the_environment_configure_train_to_the_same_bits()
    {
        int[] ports = FreePorts.Take(4);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        string file = _folder.Write("etc/silo.yaml", $"cluster: {url}\nport: {ports[0]}\ndevices: 7\nlog: silo.clef\nname: node-1\n");
        string[] elsewhere = [$"CONVNET_SILO_CONFIG={file}", "CONVNET_SILO_NAME=node-2", $"CONVNET_SILO_PORT={ports[2]}", "CONVNET_SILO_DEVICES=7"];
        using ClientProcess first = ClientProcess.StartSilo(_folder.Path, ["CONVNET_SILO_DEVICES=2"], "--config", file);
        await first.SaysAsync($"Silo node-1 is in the cluster {url}: port {ports[0]}, gateway {ports[1]}, 2 device(s) with 1 thread(s) on ");
        using ClientProcess second = ClientProcess.StartSilo(_folder.Path, elsewhere, "--devices", "1", "--gateway", $"{ports[3]}", "--log", "second.clef");
        await second.SaysAsync($"Silo node-2 is in the cluster {url}: port {ports[2]}, gateway {ports[3]}, 1 device(s) with 1 thread(s) on ");

        JobEnd end = await JobEnd.TrainAsync(_folder.Path, "--model", "lenet", "--steps", "40", "--batch", "100", "--workers", "3", "--cluster", url);

        Assert.Equal("7062373556dfdd257f1a1fc89a5d14df3468bc6cd951805e7e6c2b10f7a72424", end.StateSha256);
        Assert.Equal(3, end.Samples.Length);
        Assert.True(File.Exists(_folder["etc/silo.clef"]) && File.Exists(_folder["second.clef"]));
        second.Terminate();
        await second.EndAsync(143);
        first.HangUp();
        await first.EndAsync(129);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_as_it_was_given()
    {
        int[] ports = FreePorts.Take(2);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        string file = _folder.Write("silo.yaml", $"name: node-1\ncluster: {url}\nport: {ports[0]}\n");
        using ClientProcess silo = ClientProcess.StartSilo(_folder.Path, [], "--config", file);
        await silo.SaysAsync("node-1 is in the cluster");

        using ClientProcess written = ClientProcess.StartSilo(_folder.Path, [], "--config", file);
        await written.EndAsync(4);
        using ClientProcess variable = ClientProcess.StartSilo(
            _folder.Path, [$"CONVNET_SILO_PORT={ports[0]}", $"CONVNET_SILO_CLUSTER={url}"], "--name", "node-2");
        await variable.EndAsync(4);

        Assert.StartsWith($"error: {file} line 3: port {ports[0]} cannot be used on 127.0.0.1", written.Error);
        Assert.StartsWith($"error: CONVNET_SILO_PORT {ports[0]} cannot be used on 127.0.0.1", variable.Error);
    }

    [Theory]
    [InlineData(2, "Unrecognized command or argument '--prot'. Did you mean '--port'?", "Try 'convnet-silo --help'", "--prot", "1")]
    [InlineData(2, "--port takes a whole number; got 'x'.", "Try 'convnet-silo --help'", "--port", "x")]
    [InlineData(2, "Option '--name' is required", "CONVNET_SILO_NAME")]
    [InlineData(3, "--log '/proc/nope/log' cannot be written", "Name another file", "--name", "a", "--cluster", "dev://127.0.0.1:1", "--log", "/proc/nope/log")]
    public async Task A_command_line_that_cannot_be_carried_out_ends_with_a_sentence(int code, string what, string remedy, params string[] args)
    {
        using ClientProcess silo = ClientProcess.StartSilo(_folder.Path, [], args);
        await silo.EndAsync(code);

        Assert.Equal("", silo.Output);
        Assert.Contains($"error: {what}", silo.Error);
        Assert.Contains(remedy, silo.Error);
    }

    [Fact]
    public async Task The_environment_that_is_wrong_ends_the_client_s_silo_as_well()
    {
        using ClientProcess silo = ClientProcess.StartBy(["env", "CONVNET_SILO_PROT=1"], _folder.Path, "silo", "--name", "a", "--cluster", "dev://127.0.0.1:1");
        await silo.EndAsync(3);

        Assert.Contains("environment variable CONVNET_SILO_PROT: there is no such setting. Did you mean CONVNET_SILO_PORT?", silo.Error);
    }

    public void Dispose() => _folder.Dispose();
}
