using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Devices;
using ConvNet.Silo.Security;

namespace ConvNet.Silo.Configuration;

/// <summary>What a silo is told: options win over environment variables, these over the file, and the file over defaults.</summary>
internal sealed partial class SiloConfiguration
{
    private readonly Dictionary<SiloKey, SiloSetting> _settings = [];

    private SiloConfiguration(IEnumerable<SiloSetting> settings)
    {
        foreach (SiloSetting setting in settings)
        {
            _settings[setting.Key] = setting;
        }
    }

    public string LogPath => Find(SiloKeys.Log) ?? Path.Combine("logs", $"{Name}.clef");

    private string Name => _settings[SiloKeys.Name].Text;

    /// <summary>Reads and checks all that is said, also what others overrule.</summary>
    /// <param name="options">Of the command line, whose values have their forms.</param>
    /// <param name="environment">All variables of the process.</param>
    /// <exception cref="ConvNetException">
    /// All that is wrong, by its sources (exit code 3), or what is missing: 3 as well, or 2 if the command line is all that there is.
    /// </exception>
    public static SiloConfiguration Read(IReadOnlyList<SiloSetting> options, IReadOnlyDictionary<string, string> environment)
    {
        var problems = new List<string>();
        IReadOnlyList<SiloSetting> variables = SiloVariables.Read(environment, problems);
        SiloSetting? file = options.Concat(variables).FirstOrDefault(setting => setting.Key == SiloKeys.Config);
        IReadOnlyList<SiloSetting> written = file is null ? [] : SiloFile.Read(file, problems);
        SiloSetting[] all = [.. written, .. variables, .. options];
        problems.AddRange(all.Select(setting => setting.Problem).OfType<string>());
        if (problems.Count > 0)
        {
            throw ConvNetException.BadInput(string.Join(Environment.NewLine + "error: ", problems));
        }

        if (Array.Find([SiloKeys.Name, SiloKeys.Cluster], key => all.All(setting => setting.Key != key)) is { } missing)
        {
            throw new ConvNetException(
                file is null && variables.Count == 0 ? ExitCode.Usage : ExitCode.BadInput,
                $"Option '{missing.Flag}' is required: give it, or set {missing.Variable}, or write '{missing.Key}' into the file of --config.");
        }

        return new SiloConfiguration(all);
    }

    /// <summary>What the host of the silo takes.</summary>
    /// <exception cref="ConvNetException">Values do not go together, or mean nothing that can be used (exit code 3, 4 or 8).</exception>
    public ConvNetSiloOptions Resolve()
    {
        SiloCluster home = Home();
        SiloKey whence = _settings.ContainsKey(SiloKeys.Listen) ? SiloKeys.Listen : SiloKeys.Cluster;
        string[] roles = SiloKey.RolesIn(Find(SiloKeys.Roles) ?? "worker,server");
        return new ConvNetSiloOptions
        {
            Name = Name,
            Cluster = home,
            Ports = Told(whence, () => home.PortsOf(
                Find(SiloKeys.Listen), Find(SiloKeys.Advertise), Whole(SiloKeys.Port) ?? 11111, Whole(SiloKeys.Gateway), Find(SiloKeys.Insecure) is "true")),
            Http = Whole(SiloKeys.Http),
            Devices = Whole(SiloKeys.Devices) ?? 1,
            Device = Find(SiloKeys.Device) is { } device ? DeviceChoice.Parse(device) : DeviceChoice.Automatic,
            Threads = Whole(SiloKeys.Threads) ?? 1,
            Cache = Find(SiloKeys.Cache) is { } cache && File.Exists(cache)
                ? throw ConvNetException.BadInput($"--cache '{cache}' is a file; name a folder, or where one can be made.")
                : Find(SiloKeys.Cache),
            OrphanTime = Whole(SiloKeys.OrphanMinutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : CheckpointCache.DefaultKeep,
            Host = Find(SiloKeys.Host),
            Workers = roles.Contains("worker"),
            Servers = roles.Contains("server"),
        };
    }

    /// <summary>An error that calls settings by their options, in the names by which they were given. Commands to type stay as they are.</summary>
    public ConvNetException InItsWords(ConvNetException e)
    {
        string message = OptionOrCommand().Replace(e.Message, match =>
            _settings.Values.FirstOrDefault(setting => setting.Key.Flag == match.Value) is not { } setting ? match.Value
            : match.Index == 0 ? setting.Source : setting.Mention);
        return new ConvNetException(e.ExitCode, message, e);
    }

    private SiloCluster Home()
    {
        PeerIdentity? identity = Find(SiloKeys.Tls) is { } folder
            ? Told(SiloKeys.Tls, () => PeerIdentity.Load(folder, PeerRole.Silo, TimeProvider.System))
            : null;
        return Told(SiloKeys.Cluster, () => SiloCluster.Parse(
            _settings[SiloKeys.Cluster].Text, Find(SiloKeys.RedisPasswordFile), identity, Find(SiloKeys.RedisCa)));
    }

    /// <summary>Does what may refuse a value. A refusal that does not begin with an option is about this key.</summary>
    private T Told<T>(SiloKey key, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ConvNetException e) when (!e.Message.StartsWith("--", StringComparison.Ordinal) && _settings.TryGetValue(key, out SiloSetting? setting))
        {
            throw About(setting, e, e.Message);
        }
    }

    private static ConvNetException About(SiloSetting setting, ConvNetException e, string message) =>
        new(e.ExitCode, $"{setting.Key.Flag}: {message}", e);

    private string? Find(SiloKey key) => _settings.GetValueOrDefault(key)?.Text;

    private int? Whole(SiloKey key) => Find(key) is { } text ? (int)WholeText.Parse(text)!.Value : null;

    [GeneratedRegex(@"convnet(?:-silo)? [^)']*|--[a-z][a-z-]*")]
    private static partial Regex OptionOrCommand();
}
