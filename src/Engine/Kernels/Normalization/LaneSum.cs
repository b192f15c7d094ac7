using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>A float64 sum in each of 8 lanes.</summary>
internal struct LaneSum
{
    private Vector256<double> _lower;
    private Vector256<double> _upper;

    public void Add(Vector256<float> values)
    {
        (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(values);
        _lower += lower;
        _upper += upper;
    }

    public readonly void CopyTo(Span<double> lanes)
    {
        _lower.CopyTo(lanes);
        _upper.CopyTo(lanes[4..]);
    }
}
