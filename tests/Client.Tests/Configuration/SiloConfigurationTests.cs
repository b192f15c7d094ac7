using ConvNet.Engine.Errors;
using ConvNet.Silo;
using ConvNet.Silo.Configuration;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Configuration;

/// <summary>What options, variables and a file say to a silo; {dir} in them is the test's folder.</summary>
public sealed class SiloConfigurationTests : IDisposable
{
    private const string Good = "name: node-1\ncluster: dev://127.0.0.1:21900\n";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(11111, "", "", "")]
    [InlineData(1, "1", "", "")]
    [InlineData(2, "1", "2", "")]
    [InlineData(3, "1", "2", "3")]
    [InlineData(3, "1", "", "3")]
    [InlineData(3, "", "2", "3")]
    public void Options_win_over_variables_these_over_the_file_and_the_file_over_defaults(int port, string written, string variable, string option)
    {
        ConvNetSiloOptions silo = Read(
            Good + (written == "" ? "" : $"port: {written}\n"),
            variable == "" ? [] : [$"CONVNET_SILO_PORT={variable}"],
            option == "" ? [] : [$"--port={option}"]).Resolve();

        Assert.Equal(port, silo.Ports.Silos);
        Assert.Equal(("node-1", "dev://127.0.0.1:21900", 1, 1), (silo.Name, silo.Cluster.Url, silo.Devices, silo.Threads));
        Assert.Equal((true, true, "auto"), (silo.Workers, silo.Servers, $"{silo.Device}"));
        Assert.Equal(TimeSpan.FromHours(1), silo.OrphanTime);
        Assert.Null(silo.Http);
    }

    [Fact]
    public void Every_setting_can_stand_in_the_file_in_a_variable_and_in_an_option()
    {
        _folder.Write("password", "secret");
        new CertificateFolder(_folder["tls"]).Init(TimeProvider.System);
        string authority = Path.Combine(_folder["tls"], CertificateFolder.AuthorityFile);
        (string Name, string Text)[] all =
        [
            ("name", "node-7"), ("cluster", "rediss://127.0.0.1:6379?id=lab"), ("redis-password-file", _folder["password"]), ("redis-ca", authority),
            ("listen", "0.0.0.0"),
            ("advertise", "127.0.0.1"), ("insecure", "true"), ("port", "1"), ("gateway", "2"), ("http", "3"), ("devices", "4"), ("device", "cpu,gpu:1"),
            ("threads", "5"),
            ("roles", "server"), ("host", "rack-1"), ("cache", _folder["cache"]), ("orphan-minutes", "6"), ("log", _folder["log"]),
        ];
        SiloConfiguration[] each =
        [
            Read(string.Concat(all.Select(setting => $"{Camel(setting.Name)}: {setting.Text}\n")), [], []),
            Read("", [.. all.Select(setting => $"CONVNET_SILO_{setting.Name.ToUpperInvariant().Replace('-', '_')}={setting.Text}")], []),
            Read("", [], [.. all.Select(setting => $"--{setting.Name}={setting.Text}")]),
        ];

        Assert.Equal(["config", "tls"], SiloKeys.All.Select(key => key.Name).Except(all.Select(setting => setting.Name)));
        Assert.All(each, told =>
        {
            ConvNetSiloOptions silo = told.Resolve();
            Assert.Equal(("node-7", "rediss://127.0.0.1:6379?id=lab", _folder["log"]), (silo.Name, silo.Cluster.Url, told.LogPath));
            Assert.Contains($"--redis-password-file {_folder["password"]} --redis-ca {authority}", silo.Cluster.Arguments);
            Assert.Equal(("0.0.0.0", "127.0.0.1", 1, 2), ($"{silo.Ports.Listen}", $"{silo.Ports.Advertise}", silo.Ports.Silos, silo.Ports.Clients));
            Assert.Equal((3, 4, 5, TimeSpan.FromMinutes(6)), (silo.Http, silo.Devices, silo.Threads, silo.OrphanTime));
            Assert.Equal("cpu,gpu:1", $"{silo.Device}");
            Assert.Equal((false, true, "rack-1", _folder["cache"]), (silo.Workers, silo.Servers, silo.Host, silo.Cache));
        });
    }

    [Fact]
    public void Paths_in_a_file_are_relative_to_its_folder_and_others_to_where_the_silo_runs()
    {
        Assert.Equal(_folder["logs/a"], Read(Good + "log: logs/a\n", [], []).LogPath);
        Assert.Equal("logs/a", Read(Good, ["CONVNET_SILO_LOG=logs/a"], []).LogPath);
        Assert.Equal("logs/node-1.clef", Read(Good, [], []).LogPath);
    }

    [Fact]
    public void A_variable_can_name_the_file_and_an_option_another_one()
    {
        string other = _folder.Write("other.yaml", "name: other\ncluster: dev://127.0.0.1:1\n");
        string file = _folder.Write("silo.yaml", Good);

        Assert.Equal("node-1", Read(null, [$"CONVNET_SILO_CONFIG={file}"], []).Resolve().Name);
        Assert.Equal("other", Read(null, [$"CONVNET_SILO_CONFIG={file}"], [$"--config={other}"]).Resolve().Name);
    }

    [Theory]
    [InlineData("{dir}/silo.yaml line 4: port must be from 1 to 65535; got 70000.", "\nport: 70000\n")]
    [InlineData("{dir}/silo.yaml line 3: port takes a whole number; got 'x'.", "port: x\n")]
    [InlineData("{dir}/silo.yaml line 3: port must be from 1 to 65535; got a number that is far outside.", "port: 100000000000000000000\n")]
    [InlineData("{dir}/silo.yaml line 3: insecure takes true or false; got 'yes'.", "insecure: yes\n")]
    [InlineData("{dir}/silo.yaml line 3: listen takes a value; got ''.", "listen:\n")]
    [InlineData("{dir}/silo.yaml line 3: roles: 'worke' is no role; the roles are worker and server. Did you mean 'worker'?", "roles: server,worke\n")]
    [InlineData("{dir}/silo.yaml line 3: device: 'gup' is no device; there are auto, cpu, gpu, gpu:0,", "device: gup\n")]
    [InlineData("CONVNET_SILO_DEVICE: 'cpu,auto' has auto in a list;", "", "CONVNET_SILO_DEVICE=cpu,auto")]
    [InlineData("{dir}/silo.yaml line 3: there is no setting 'prot'. Did you mean 'port'?", "prot: 1\n")]
    [InlineData("there is no setting 'redis-password-file'. Did you mean 'redisPasswordFile'?", "redis-password-file: 1\n")]
    [InlineData("there is no setting 'config'.", "config: silo.yaml\n")]
    [InlineData("There are name, cluster, redisPasswordFile, redisCa, tls,", "nonsense: silo.yaml\n")]
    [InlineData("{dir}/silo.yaml line 3: 'name' is given twice.", "name: node-2\n")]
    [InlineData("{dir}/silo.yaml line 3: there is no section 'port'. It takes one plain value.", "port: {silo: 1}\n")]
    [InlineData("{dir}/silo.yaml line 3: 'roles' takes one plain value.", "roles: [worker]\n")]
    [InlineData("{dir}/silo.yaml line 3: not valid YAML: a tab", "\tport: 1\n")]
    [InlineData("{dir}/silo.yaml line 3: cache '{dir}/silo.yaml' is a file;", "cache: silo.yaml\n")]
    [InlineData("{dir}/silo.yaml line 3: tls '{dir}/none' is no folder;", "tls: none\n")]
    [InlineData("{dir}/silo.yaml line 3: redisPasswordFile is for redis:// clusters", "redisPasswordFile: none\n")]
    [InlineData("CONVNET_SILO_PORT must be from 1 to 65535; got 0.", "", "CONVNET_SILO_PORT=0")]
    [InlineData("CONVNET_SILO_PORT takes a whole number; got ''.", "", "CONVNET_SILO_PORT=")]
    [InlineData("CONVNET_SILO_DEVICES takes a whole number; got '1.5'.", "", "CONVNET_SILO_DEVICES=1.5")]
    [InlineData("CONVNET_SILO_NAME: 'a b' must be 1 to 63 letters", "", "CONVNET_SILO_NAME=a b")]
    [InlineData("CONVNET_SILO_CLUSTER: 'http://127.0.0.1:1' is no cluster URL;", "", "CONVNET_SILO_CLUSTER=http://127.0.0.1:1")]
    [InlineData("CONVNET_SILO_TLS '{dir}/none' is no folder;", "", "CONVNET_SILO_TLS={dir}/none")]
    [InlineData("variable CONVNET_SILO_PROT: there is no such setting. Did you mean CONVNET_SILO_PORT?", "", "CONVNET_SILO_PROT=1")]
    [InlineData("variable CONVNET_SILO_ZEBRAS: there is no such setting. There are CONVNET_SILO_CONFIG,", "", "CONVNET_SILO_ZEBRAS=1")]
    [InlineData("CONVNET_SILO_CONFIG: configuration file '{dir}/none' does not exist.", null, "CONVNET_SILO_CONFIG={dir}/none")]
    [InlineData("--config: configuration file '{dir}/none' does not exist.", null, "--config={dir}/none")]
    [InlineData("--port must be from 1 to 65535; got 65536.", "", "--port=65536")]
    [InlineData("--cluster: 'dev:x' is no cluster URL;", "", "--cluster=dev:x")]
    [InlineData("--orphan-minutes must be from 1 to 43200; got 0.", "", "--orphan-minutes=0")]
    [InlineData("--port must be from 1 to 65535; got 0.", "port: 3\n", "--port=0")]
    [InlineData("silo.yaml line 3: port must be from 1 to 65535; got 0.", "port: 0\n", "--port=3")]
    public void An_error_names_the_value_the_rule_and_whence_it_came(string words, string? file, params string[] more)
    {
        ConvNetException error = Refused(file is null ? null : Good + file, more);

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(words.Replace("{dir}", _folder.Path), error.Message);
    }

    [Theory]
    [InlineData("CONVNET_SILO_GATEWAY 7 contradicts the cluster's URL", "CONVNET_SILO_GATEWAY=7", "--cluster=dev://127.0.0.1:11111?gateway=8")]
    [InlineData("leave CONVNET_SILO_GATEWAY out", "CONVNET_SILO_GATEWAY=7", "--cluster=dev://127.0.0.1:11111?gateway=8")]
    [InlineData("CONVNET_SILO_LISTEN and --advertise are for redis:// clusters", "CONVNET_SILO_LISTEN=10.0.0.1")]
    [InlineData("CONVNET_SILO_LISTEN 0.0.0.0 means all addresses", "CONVNET_SILO_LISTEN=0.0.0.0", "--cluster=redis://127.0.0.1:1?id=a")]
    [InlineData("CONVNET_SILO_ADVERTISE: the silo would be advertised", "CONVNET_SILO_ADVERTISE=127.0.0.1", "--cluster=redis://192.0.2.1:1?id=a")]
    public void An_error_about_several_values_names_each_as_it_was_given(string words, params string[] told)
    {
        ConvNetException error = Refused(Good, told);

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(words, error.Message);
    }

    [Fact]
    public void Ports_for_everybody_are_a_matter_of_security_wherever_they_were_asked_for()
    {
        ConvNetException error = Refused(Good, "CONVNET_SILO_LISTEN=192.0.2.7", "--cluster=redis://192.0.2.1:1?id=a");

        Assert.Equal(ExitCode.NotAuthorised, error.ExitCode);
        Assert.StartsWith("CONVNET_SILO_LISTEN: the ports on 192.0.2.7 would let everybody in", error.Message);
    }

    [Fact]
    public void Commands_in_an_error_stay_as_they_are_to_be_typed()
    {
        SiloConfiguration silo = Read(Good, ["CONVNET_SILO_PORT=3"], []);

        ConvNetException error = silo.InItsWords(new ConvNetException(
            ExitCode.Environment, "--port 3 is taken; type (convnet silo --port 4), or change --port or --cluster or --gateway."));

        Assert.Equal(
            "CONVNET_SILO_PORT 3 is taken; type (convnet silo --port 4), or change CONVNET_SILO_PORT or " +
            $"'cluster' ({_folder["silo.yaml"]} line 2) or --gateway.",
            error.Message);
        Assert.Equal(ExitCode.Environment, error.ExitCode);
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once_and_no_value_of_an_unknown_variable_is_shown()
    {
        ConvNetException error = Refused(Good + "port: 0\nprot: 1\n", "CONVNET_SILO_REDIS_PASSWORD=geheim", "--devices=0");

        Assert.Equal(4, error.Message.Split("error: ").Length);
        Assert.Contains("Did you mean CONVNET_SILO_REDIS_PASSWORD_FILE?", error.Message);
        Assert.DoesNotContain("geheim", error.Message);
    }

    [Theory]
    [InlineData(ExitCode.BadInput, "--name", "cluster: dev://127.0.0.1:1\n")]
    [InlineData(ExitCode.BadInput, "--cluster", "name: node-1\n")]
    [InlineData(ExitCode.BadInput, "--cluster", null, "CONVNET_SILO_NAME=node-1")]
    [InlineData(ExitCode.Usage, "--cluster", null, "--name=node-1")]
    [InlineData(ExitCode.Usage, "--name", null)]
    public void What_is_said_nowhere_is_missing_and_a_matter_of_the_command_line_if_there_is_nothing_else(
        ExitCode code, string option, string? file, params string[] told)
    {
        ConvNetException error = Refused(file, told);

        Assert.Equal(code, error.ExitCode);
        Assert.StartsWith($"Option '{option}' is required: give it, or set CONVNET_SILO_", error.Message);
    }

    private ConvNetException Refused(string? file, params string[] told)
    {
        string[] all = [.. told.Select(text => text.Replace("{dir}", _folder.Path))];
        return Assert.Throws<ConvNetException>(() =>
        {
            SiloConfiguration silo = Read(file, [.. all.Where(text => !text.StartsWith('-'))], [.. all.Where(text => text.StartsWith('-'))]);
            try
            {
                silo.Resolve();
            }
            catch (ConvNetException e)
            {
                throw silo.InItsWords(e);
            }
        });
    }

    /// <param name="file">The text of a file that --config names, or null.</param>
    private SiloConfiguration Read(string? file, string[] variables, string[] options)
    {
        IEnumerable<string> named = string.IsNullOrEmpty(file) ? [] : [$"--config={_folder.Write("silo.yaml", file)}"];
        return SiloConfiguration.Read(
            [
                .. named.Concat(options).Select(text => text[2..].Split('=', 2))
                    .Select(pair => SiloSetting.Option(SiloKeys.All.Single(key => key.Name == pair[0]), pair[1])),
            ],
            variables.Append("HOME=/").Select(text => text.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
    }

    private static string Camel(string name)
    {
        string[] words = name.Split('-');
        return words[0] + string.Concat(words[1..].Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
