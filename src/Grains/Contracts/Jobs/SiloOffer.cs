using System.Globalization;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What a silo offers, as it announced it when it joined.</summary>
/// <param name="Devices">Workers that it can run.</param>
/// <param name="Threads">Compute threads per worker.</param>
public sealed record SiloOffer(string Name, int Devices, int Threads, bool Workers, bool Servers)
{
    private const string DevicesKey = "convnet.devices";
    private const string ThreadsKey = "convnet.threads";
    private const string RolesKey = "convnet.roles";

    /// <summary>As silo metadata.</summary>
    public Dictionary<string, string> ToMetadata() => new()
    {
        [DevicesKey] = Devices.ToString(CultureInfo.InvariantCulture),
        [ThreadsKey] = Threads.ToString(CultureInfo.InvariantCulture),
        [RolesKey] = string.Join(',', new[] { Workers ? "worker" : null, Servers ? "server" : null }.OfType<string>()),
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
            roles.Contains("server", StringComparison.Ordinal));
    }
}
