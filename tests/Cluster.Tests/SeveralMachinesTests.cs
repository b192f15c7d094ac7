using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos with addresses of their own, as on several machines.</summary>
public sealed class SeveralMachinesTests : IDisposable
{
    private static readonly string[] Job = ["--model", "lenet", "--steps", "40", "--batch", "100"];
    private readonly TemporaryFolder _folder = new();
    private readonly List<ClientProcess> _silos = [];

    public void Dispose()
    {
        _silos.ForEach(silo => silo.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task Three_machines_and_a_redis_on_a_fourth_give_the_bits_of_one_worker()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CONVNET_TEST_FULL") is "1", "longer test: run ./test --full");
        Assert.SkipUnless(Machines.AreAvailable, "only root may make network namespaces");
        using var machines = new Machines(3);
        using var redis = new RedisServer(Machines.AddressOf(0), machines[0]);
        await redis.StartAsync();
        string[] cluster = ["--cluster", $"redis://{redis.Endpoint}?id=lab", "--redis-password-file", redis.PasswordFile];
        foreach (int machine in new[] { 1, 2, 3 })
        {
            ClientProcess silo = ClientProcess.StartOn(
                machines[machine],
                _folder.Path,
                ["silo", "--name", $"node-{machine}", .. cluster, "--listen", Machines.AddressOf(machine), "--insecure"]);
            _silos.Add(silo);
            await silo.SaysAsync($"node-{machine} is in the cluster");
        }

        using ClientProcess training = ClientProcess.StartOn(machines[0], _folder.Path, ["train", "--json", .. Job, .. cluster, "--workers", "3"]);
        await training.EndAsync(0);

        JobEnd alone = await JobEnd.TrainAsync(_folder.Path, [.. Job, "--workers", "1"]);
        JobEnd together = JobEnd.Of(training);
        Assert.Equal(alone.StateSha256, together.StateSha256);
        Assert.Equal(3, together.Samples.Count(samples => samples > 0));
    }
}
