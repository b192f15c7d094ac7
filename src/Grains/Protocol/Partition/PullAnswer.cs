using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>Floats of one chunk at one version. The buffer is the machine's own: read it, never write it.</summary>
public readonly record struct PullAnswer(PullVerdict Verdict, float[]? Buffer = null, int Offset = 0, int Length = 0)
{
    public ReadOnlySpan<float> Floats => Buffer.AsSpan(Offset, Length);
}
