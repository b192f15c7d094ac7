using System.Text.Json.Serialization;

namespace ConvNet.Engine.Layers;

/// <summary>How running statistics follow the batches.</summary>
public enum RunningAverage
{
    /// <summary>running = 0.9·running + 0.1·batch, as PyTorch's default.</summary>
    [JsonStringEnumMemberName("exponential")]
    Exponential,

    /// <summary>The mean over all batches seen, as PyTorch with momentum=None.</summary>
    [JsonStringEnumMemberName("cumulative")]
    Cumulative,
}
