using System.Text.Json.Serialization;

namespace ConvNet.Engine.Parameters;

/// <summary>The variance of a weight before the first step.</summary>
public enum InitializationKind
{
    /// <summary>2 / fan-in. Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015).</summary>
    [JsonStringEnumMemberName("he")]
    He,

    /// <summary>2 / (fan-in + fan-out). Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward networks" (2010).</summary>
    [JsonStringEnumMemberName("xavier")]
    Xavier,
}
