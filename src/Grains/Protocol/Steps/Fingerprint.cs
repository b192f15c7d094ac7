namespace ConvNet.Grains.Protocol.Steps;

/// <summary>What is kept of the values of one root, to tell whether somebody else computes the same bits.</summary>
internal readonly record struct Fingerprint(UInt128 Digest, bool IsFinite)
{
    /// <summary>
    /// True if both are of the same bits. Values with a NaN or an infinity count as the same: the bits of a NaN are no result, as processors
    /// differ in which operand's they take over.
    /// </summary>
    public bool Matches(Fingerprint other) => IsFinite == other.IsFinite && (!IsFinite || Digest == other.Digest);
}
