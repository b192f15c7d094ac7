using System.Globalization;
using System.Reflection;
using ConvNet.Engine.Training;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a silo offers, as it announced it when it joined.</summary>
/// <param name="Devices">Workers that it can run.</param>
/// <param name="Threads">Compute threads per worker.</param>
public sealed record SiloOffer(string Name, int Devices, int Threads, bool Workers, bool Servers)
{
    private const string DevicesKey = "convnet.devices";
    private const string ThreadsKey = "convnet.threads";
    private const string RolesKey = "convnet.roles";
    private const string HostKey = "convnet.host";
    private const string VersionKey = "convnet.version";
    private const string StartedKey = "convnet.started";
    private const string ComputeKey = "convnet.compute";

    /// <summary>The machine, rack or zone that the silo may be lost with; null if it does not say.</summary>
    public string? Host { get; init; }

    /// <summary>What its workers compute on, the first on the first, and round again: "cpu", "gpu:0,gpu:1".</summary>
    public string Compute { get; init; } = CpuDevice.CommonName;

    /// <summary>Of the program that the silo runs, with the commit it was built from where that is known; "?" if the silo does not say.</summary>
    public string Version { get; init; } = typeof(SiloOffer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";

    /// <summary>When the silo was started, by its own clock, in whole seconds; null if it does not say.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Whether a worker of this silo computes on the processor.</summary>
    public bool IsOnProcessor(int device)
    {
        string[] names = Compute.Split(',');
        return names[device % names.Length] == CpuDevice.CommonName;
    }

    /// <summary>As silo metadata.</summary>
    public Dictionary<string, string> ToMetadata() => new(Host is null ? [] : [KeyValuePair.Create(HostKey, Host)])
    {
        [DevicesKey] = Devices.ToString(CultureInfo.InvariantCulture),
        [ThreadsKey] = Threads.ToString(CultureInfo.InvariantCulture),
        [RolesKey] = string.Join(',', new[] { Workers ? "worker" : null, Servers ? "server" : null }.OfType<string>()),
        [VersionKey] = Version,
        [ComputeKey] = Compute,
        [StartedKey] = (Started ?? DateTimeOffset.UtcNow).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The offer in a silo's metadata, or null if it is no silo of ours or its metadata has not arrived yet.</summary>
    public static SiloOffer? FromMetadata(string name, IReadOnlyDictionary<string, string> values)
    {
        if (!values.TryGetValue(DevicesKey, out string? devices))
        {
            return null;
        }

        string roles = values.GetValueOrDefault(RolesKey, "worker,server");
        return new SiloOffer(
            name,
            int.Parse(devices, CultureInfo.InvariantCulture),
            int.Parse(values.GetValueOrDefault(ThreadsKey, "1"), CultureInfo.InvariantCulture),
            roles.Contains("worker", StringComparison.Ordinal),
            roles.Contains("server", StringComparison.Ordinal))
        {
            Host = values.GetValueOrDefault(HostKey),
            Compute = values.GetValueOrDefault(ComputeKey, CpuDevice.CommonName),
            Version = values.GetValueOrDefault(VersionKey, "?"),
            Started = long.TryParse(values.GetValueOrDefault(StartedKey), CultureInfo.InvariantCulture, out long seconds) ? FromUnixTime(seconds) : null,
        };
    }

    /// <summary>Other machines' clocks may say anything.</summary>
    private static DateTimeOffset? FromUnixTime(long seconds) =>
        seconds is >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
