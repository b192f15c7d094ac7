namespace ConvNet.Silo.Configuration;

/// <summary>A value in a YAML file.</summary>
/// <param name="Key">With those of the sections around it: "train.batch".</param>
/// <param name="KeyPlace">Where the key stands, for errors.</param>
/// <param name="Place">Where the value stands.</param>
public sealed record YamlEntry(string Key, string Value, string KeyPlace, string Place);
