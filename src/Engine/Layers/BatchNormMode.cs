using System.Text.Json.Serialization;

namespace ConvNet.Engine.Layers;

public enum BatchNormMode
{
    /// <summary>Statistics over the global batch, through the parameter server.</summary>
    [JsonStringEnumMemberName("sync")]
    Sync,

    /// <summary>Statistics over each data shard (ghost batch norm).</summary>
    [JsonStringEnumMemberName("shard")]
    Shard,
}
