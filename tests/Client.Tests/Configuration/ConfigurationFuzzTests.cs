using System.Text;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Tests.Fuzzing;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Configuration;
using Xunit;

namespace ConvNet.Client.Tests.Configuration;

public sealed class ConfigurationFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(isInMemory: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Mutated_configuration_files_are_read_or_refused()
    {
        double refused = await Mutations.RefusedAsync([Encoding.UTF8.GetBytes(ConfigurationFile.Write(new TrainConfiguration()))], mutant =>
        {
            IReadOnlyList<Setting> settings = ConfigurationFile.Read(_folder.Write("job.yaml", mutant));
            var configuration = new TrainConfiguration();
            Setting.Apply(configuration, settings, ExitCode.BadInput);
            Setting.Check(configuration, settings);
        });
        Assert.InRange(refused, 0.5, 1);
    }

    [Fact]
    public async Task Mutated_files_of_silos_are_read_or_refused()
    {
        const string Good = "name: node-1\ncluster: redis://10.0.0.10:6379?id=lab\nport: 11111\ninsecure: true\nroles: worker,server\nlog: logs/node-1.clef\n";
        double refused = await Mutations.RefusedAsync([Encoding.UTF8.GetBytes(Good)], mutant =>
            SiloConfiguration.Read([SiloSetting.Option(SiloKeys.Config, _folder.Write("silo.yaml", mutant))], new Dictionary<string, string>()));
        Assert.InRange(refused, 0.5, 1);
    }

    [Fact]
    public async Task Mutated_urls_of_clusters_are_read_or_refused()
    {
        string[] good = ["dev://127.0.0.1:11111", "dev://127.0.0.1:21111?gateway=31000", "dev://[::1]:1?gateway=1", "redis://127.0.0.1:6379?id=lab"];
        double refused = await Mutations.RefusedAsync([.. good.Select(Encoding.UTF8.GetBytes)], mutant =>
        {
            string url = Encoding.UTF8.GetString(mutant);

            // Names of hosts would be looked up.
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            {
                SiloCluster.Parse(url);
            }
        });
        Assert.InRange(refused, 0.3, 1);
    }
}
