using System.IO.Hashing;
using System.Runtime.InteropServices;
using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>A fingerprint of a message's payload, to tell a duplicate from a conflict. It guards against faults, not against attackers.</summary>
internal static class Digest
{
    public static UInt128 Of(ReadOnlySpan<float> values) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(values));

    public static UInt128 Of(IReadOnlyList<Moments> roots)
    {
        var hash = new XxHash128();
        foreach (Moments root in roots)
        {
            Append(hash, [root.Count]);
            Append<double>(hash, root.Mean);
            Append<double>(hash, root.M2);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    public static UInt128 Of(IReadOnlyList<BackwardSums> roots)
    {
        var hash = new XxHash128();
        foreach (BackwardSums root in roots)
        {
            Append<double>(hash, root.Dy);
            Append<double>(hash, root.DyXhat);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    public static UInt128 Of(ReadOnlySpan<Metrics> roots)
    {
        var hash = new XxHash128();
        foreach (Metrics root in roots)
        {
            Append(hash, [root.LossSum]);
            Append(hash, [root.Correct, root.Count]);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    public static UInt128 Of(ReadOnlySpan<UInt128> digests) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(digests));

    private static void Append<T>(XxHash128 hash, ReadOnlySpan<T> values)
        where T : unmanaged => hash.Append(MemoryMarshal.AsBytes(values));
}
