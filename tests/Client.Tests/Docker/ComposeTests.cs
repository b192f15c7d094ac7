using ConvNet.Silo.Configuration;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace ConvNet.Client.Tests.Docker;

/// <summary>What docker/compose.yaml promises, read by a YAML parser; merge keys (&lt;&lt;) are followed as Compose does.</summary>
public sealed class ComposeTests
{
    /// <summary>All that a container may write to.</summary>
    private const string Folder = "/var/lib/convnet";

    private static readonly YamlMappingNode _root = Load();

    public static TheoryData<string> Services => [.. Map(_root, "services").Children.Keys.Select(name => name.ToString())];

    public static TheoryData<string> SiloNames => ["silo-1", "silo-2", "silo-3"];

    [Fact]
    public void There_are_Redis_three_silos_and_a_client()
    {
        Assert.Equal(["redis", "silo-1", "silo-2", "silo-3", "client"], Map(_root, "services").Children.Keys.Select(name => name.ToString()));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_container_is_read_only_without_rights_and_with_limits(string name)
    {
        YamlMappingNode service = Service(name);

        Assert.Equal("true", Text(service, "read_only"));
        Assert.Equal(["ALL"], List(service, "cap_drop"));
        Assert.Equal(["no-new-privileges:true"], List(service, "security_opt"));
        Assert.Contains(List(service, "tmpfs"), mount => mount.StartsWith("/tmp:", StringComparison.Ordinal) && mount.Contains("size="));
        Assert.All(["mem_limit", "cpus", "pids_limit"], limit => Assert.NotEmpty(Text(service, limit)));
        Assert.Equal(name == "client" ? "no" : "unless-stopped", Text(service, "restart"));
        Assert.Equal("10m", Text(Map(Map(service, "logging"), "options"), "max-size"));
        Assert.False(service.Children.ContainsKey("privileged"));
        Assert.False(service.Children.ContainsKey("ports"));
        Assert.False(service.Children.ContainsKey("environment"));
    }

    [Fact]
    public void Nothing_outside_reaches_the_network_and_everybody_is_on_it()
    {
        Assert.Equal("true", Text(Map(Map(_root, "networks"), "cluster"), "internal"));
        Assert.All(Services.Select(row => (string)row.Data), name => Assert.Equal(["cluster"], NetworksOf(name)));
    }

    [Fact]
    public void Redis_keeps_its_data_in_a_volume_and_its_password_out_of_arguments()
    {
        YamlMappingNode redis = Service("redis");
        string command = string.Join(' ', List(redis, "command"));

        Assert.Contains("--appendonly yes", command);
        Assert.Contains("noeviction", command);
        Assert.Contains("requirepass '; cat /run/secrets/redis-password", command);
        Assert.DoesNotContain("--requirepass", command);
        Assert.Equal(["redis-data:/data"], List(redis, "volumes"));
        Assert.Contains("redis-data", Map(_root, "volumes").Children.Keys.Select(name => name.ToString()));
        Assert.Contains("PONG", string.Join(' ', List(Map(redis, "healthcheck"), "test")));
        Assert.Equal("redis", Text(redis, "user"));
    }

    [Theory]
    [MemberData(nameof(SiloNames))]
    public void Every_silo_joins_with_TLS_and_the_password_by_secret_at_its_own_address(string name)
    {
        YamlMappingNode silo = Service(name);
        string[] command = [.. List(silo, "command")];
        Dictionary<string, string> written = Settings();
        string address = Text(Map(Map(silo, "networks"), "cluster"), "ipv4_address");

        Assert.Equal(["--config=/etc/convnet/silo.yaml", $"--name={name}", $"--advertise={address}"], command);
        Assert.Equal("/etc/convnet/silo.yaml", Text((YamlMappingNode)Assert.Single((YamlSequenceNode)silo["configs"]), "target"));
        Assert.Equal("silo.yaml", Text(Map(Map(_root, "configs"), "silo"), "file"));
        Assert.Equal("redis://redis:6379?id=convnet", written["cluster"]);
        Assert.Equal("/run/secrets/redis-password", written["redisPasswordFile"]);
        Assert.Equal("/run/secrets/tls", written["tls"]);
        Assert.DoesNotContain("insecure", written.Keys);
        Assert.Equal(
            ["/run/secrets/redis-password", "/run/secrets/tls/ca.pem", "/run/secrets/tls/silo.key", "/run/secrets/tls/silo.pem"], SecretsOf(silo));
        Assert.Equal("8080", written["http"]);
        Assert.Contains("/dev/tcp/127.0.0.1/8080", string.Join(' ', List(Map(silo, "healthcheck"), "test")));
        Assert.Contains("/health/ready", string.Join(' ', List(Map(silo, "healthcheck"), "test")));
        Assert.Equal("service_healthy", Text(Map(Map(silo, "depends_on"), "redis"), "condition"));
        Assert.Equal([$"{name}:{Folder}", $"runs:{Folder}/runs"], List(silo, "volumes"));
        Assert.Equal(("silo", "docker/Dockerfile"), (Text(Map(silo, "build"), "target"), Text(Map(silo, "build"), "dockerfile")));
    }

    [Fact]
    public void Silos_differ_in_address_and_the_client_has_no_key_of_theirs()
    {
        Assert.Distinct(SiloNames.Select(row => Text(Map(Map(Service((string)row.Data), "networks"), "cluster"), "ipv4_address")));
        Assert.Equal(
            ["/run/secrets/redis-password", "/run/secrets/tls/ca.pem", "/run/secrets/tls/client.key", "/run/secrets/tls/client.pem"],
            SecretsOf(Service("client")));
        Assert.Equal(["client"], List(Service("client"), "profiles"));
        Assert.All(Map(_root, "secrets").Children.Values, secret => Assert.StartsWith("secrets/", Text((YamlMappingNode)secret, "file")));
    }

    private static YamlMappingNode Load()
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(AppContext.BaseDirectory, "docker", "compose.yaml"));
        stream.Load(reader);
        return (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
    }

    /// <summary>What the silos have in common, read as they read it.</summary>
    private static Dictionary<string, string> Settings()
    {
        var problems = new List<string>();
        string path = Path.Combine(AppContext.BaseDirectory, "docker", "silo.yaml");
        IReadOnlyList<SiloSetting> settings = SiloFile.Read(SiloSetting.Option(SiloKeys.Config, path), problems);
        Assert.Empty(problems.Concat(settings.Select(setting => setting.Problem).OfType<string>()));
        return settings.ToDictionary(setting => setting.Key.Key, setting => setting.Text);
    }

    private static YamlMappingNode Service(string name) => Merged((YamlMappingNode)Map(_root, "services")[name]);

    /// <summary>A mapping with what it merges; its own keys count.</summary>
    private static YamlMappingNode Merged(YamlMappingNode node)
    {
        if (!node.Children.TryGetValue("<<", out YamlNode? basis))
        {
            return node;
        }

        YamlMappingNode merged = Merged((YamlMappingNode)basis);
        return new YamlMappingNode(
            node.Children.Where(pair => pair.Key.ToString() != "<<").Concat(merged.Children.Where(pair => !node.Children.ContainsKey(pair.Key))));
    }

    private static YamlMappingNode Map(YamlMappingNode node, string key) => (YamlMappingNode)node[key];

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    private static IEnumerable<string> List(YamlMappingNode node, string key) => ((YamlSequenceNode)node[key]).Select(item => item.ToString());

    private static IEnumerable<string> NetworksOf(string name) => Service(name)["networks"] switch
    {
        YamlSequenceNode list => list.Select(item => item.ToString()),
        var map => ((YamlMappingNode)map).Children.Keys.Select(item => item.ToString()),
    };

    private static IEnumerable<string> SecretsOf(YamlMappingNode service) =>
        ((YamlSequenceNode)service["secrets"]).Select(secret => Text((YamlMappingNode)secret, "target")).Order(StringComparer.Ordinal);
}
