namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The copy of one server of a job, on another silo, that takes the server's place when that is lost.</summary>
/// <param name="Key">Of its grain: the same kind of grain as the server's.</param>
/// <param name="Version">Where it stood when the generation began; <see cref="Empty"/>: it holds nothing that could be gone on from.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.Standby")]
public sealed record Standby([property: Id(0)] string Key, [property: Id(1)] long Version = Standby.Empty)
{
    /// <summary>In place of a version.</summary>
    public const long Empty = -1;
}
