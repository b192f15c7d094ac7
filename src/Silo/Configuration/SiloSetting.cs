namespace ConvNet.Silo.Configuration;

/// <summary>A value that somebody gave to a silo, and where.</summary>
/// <param name="Source">At the start of an error: "--port", "CONVNET_SILO_PORT", "silo.yaml line 4: port".</param>
/// <param name="Mention">The same within a sentence.</param>
internal sealed record SiloSetting(SiloKey Key, string Text, string Source, string Mention)
{
    public static SiloSetting Option(SiloKey key, string text) => new(key, text, key.Flag, key.Flag);

    public static SiloSetting Variable(SiloKey key, string text) => new(key, text, key.Variable, key.Variable);

    /// <param name="place">The file and its line.</param>
    public static SiloSetting Entry(SiloKey key, string text, string place) => new(key, text, $"{place}: {key.Key}", $"'{key.Key}' ({place})");

    /// <summary>A sentence about what is wrong with the value by itself, or null.</summary>
    public string? Problem => (Key.Fault(Text) ?? Key.Refusal(Text)) is { } fault ? $"{Source}{fault}" : null;
}
