using ConvNet.Silo.Configuration;
using Xunit;

namespace ConvNet.Client.Tests.Packaging;

/// <summary>What packaging/convnet-silo.service promises.</summary>
public sealed class ServiceTests : IDisposable
{
    private static readonly string[] _lines =
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "packaging", "convnet-silo.service")).Replace("\\\n", " ").Split('\n');

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_settings_that_its_first_lines_show_go_with_the_options_of_its_command()
    {
        string[] words = [.. Values("ExecStart").Single().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(2)];
        string example = string.Join('\n', _lines.Where(line => line.StartsWith("#   ", StringComparison.Ordinal)).Select(line => line[4..]));
        string file = _folder.Write("silo.yaml", example);
        SiloSetting[] options =
        [
            .. words.Chunk(2).Select(pair => SiloSetting.Option(
                SiloKeys.All.Single(key => key.Flag == pair[0]), pair[1].Replace("%d/silo.yaml", file).Replace("%l", "node-1"))),
        ];

        SiloConfiguration silo = SiloConfiguration.Read(options, new Dictionary<string, string>());

        Assert.Equal("/var/lib/convnet/silo.clef", silo.LogPath);
        Assert.Empty(options.Select(option => option.Key).Intersect(SiloFile.Read(options[0], []).Select(setting => setting.Key)));
    }

    [Fact]
    public void All_that_its_command_reads_is_handed_over_to_a_user_without_rights()
    {
        string[] names = [.. Values("LoadCredential").Select(value => value.Split(':')[0])];

        Assert.Equal(["silo.yaml", "redis-password", "ca.pem", "silo.pem", "silo.key"], names);
        Assert.Equal(["yes"], Values("DynamicUser"));
        Assert.StartsWith("/usr/bin/dotnet /opt/convnet/convnet-silo.dll --config %d/silo.yaml", Values("ExecStart").Single());
        Assert.Equal(["2 3 8"], Values("RestartPreventExitStatus"));
    }

    private static IEnumerable<string> Values(string key) =>
        _lines.Where(line => line.StartsWith($"{key}=", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..]);
}
