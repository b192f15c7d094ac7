namespace ConvNet.Tests;

/// <summary>A clock that stands still on some day, which may be long past.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
