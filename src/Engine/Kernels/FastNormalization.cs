using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Kernels;

/// <summary>
/// Vector passes. Sums run in float over at most 64 pixels and in double from there on; means are taken about the first pixel, so
/// that a large mean costs no precision.
/// </summary>
internal sealed class FastNormalization : NormalizationKernel
{
    private const int Chunk = 64 * 8;

    public override void Moments(ReadOnlySpan<float> x, Span<double> mean, Span<double> m2)
    {
        int area = x.Length / 8;
        Vector256<float> shift = Vector256.Create(x);
        var sum = default(LaneSum);
        for (int start = 0; start < x.Length; start += Chunk)
        {
            ReadOnlySpan<float> chunk = x[start..Math.Min(start + Chunk, x.Length)];
            ref float first = ref MemoryMarshal.GetReference(chunk);
            Vector256<float> even = Vector256<float>.Zero;
            Vector256<float> odd = Vector256<float>.Zero;
            int i = 0;
            for (; i <= chunk.Length - 16; i += 16)
            {
                even += Vector256.LoadUnsafe(ref first, (nuint)i) - shift;
                odd += Vector256.LoadUnsafe(ref first, (nuint)i + 8) - shift;
            }

            if (i < chunk.Length)
            {
                even += Vector256.LoadUnsafe(ref first, (nuint)i) - shift;
            }

            sum.Add(even + odd);
        }

        sum.CopyTo(mean);
        Span<float> high = stackalloc float[8];
        Span<float> low = stackalloc float[8];
        for (int lane = 0; lane < 8; lane++)
        {
            mean[lane] = x[lane] + mean[lane] / area;
            high[lane] = (float)mean[lane];
            low[lane] = (float)(mean[lane] - high[lane]);
        }

        SquaredDeviations(x, Vector256.Create<float>(high), Vector256.Create<float>(low)).CopyTo(m2);
    }

    public override void Forward(ReadOnlySpan<float> x, Span<float> y, in NormBlock block, bool relu)
    {
        var constants = new NormVectors(block);
        ref float input = ref MemoryMarshal.GetReference(x);
        ref float output = ref MemoryMarshal.GetReference(y);
        for (nuint i = 0; i < (nuint)x.Length; i += 8)
        {
            Vector256<float> value = constants.Affine(constants.Normalize(Vector256.LoadUnsafe(ref input, i)));
            if (relu)
            {
                value = Vector256.AndNot(value, Vector256.LessThanOrEqual(value, Vector256<float>.Zero));
            }

            value.StoreUnsafe(ref output, i);
        }
    }

    public override void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat)
    {
        var constants = new NormVectors(block);
        var totalDy = default(LaneSum);
        var totalDyXhat = default(LaneSum);
        ref float input = ref MemoryMarshal.GetReference(x);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        for (int start = 0; start < x.Length; start += Chunk)
        {
            nuint end = (nuint)Math.Min(start + Chunk, x.Length);
            Vector256<float> partDy = Vector256<float>.Zero;
            Vector256<float> partDyXhat = Vector256<float>.Zero;
            for (nuint i = (nuint)start; i < end; i += 8)
            {
                Vector256<float> xhat = constants.Normalize(Vector256.LoadUnsafe(ref input, i));
                Vector256<float> value = Masked(Vector256.LoadUnsafe(ref gradient, i), xhat, constants, relu);
                partDy += value;
                partDyXhat = Vector256.FusedMultiplyAdd(value, xhat, partDyXhat);
            }

            totalDy.Add(partDy);
            totalDyXhat.Add(partDyXhat);
        }

        totalDy.CopyTo(sumDy);
        totalDyXhat.CopyTo(sumDyXhat);
    }

    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu)
    {
        var constants = new NormVectors(block);
        Vector256<float> scale = Vector256.Create(block.DyScale);
        Vector256<float> shift = Vector256.Create(block.DyShift);
        Vector256<float> xhatScale = -Vector256.Create(block.XhatScale);
        ref float input = ref MemoryMarshal.GetReference(x);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float result = ref MemoryMarshal.GetReference(dx);
        for (nuint i = 0; i < (nuint)x.Length; i += 8)
        {
            Vector256<float> xhat = constants.Normalize(Vector256.LoadUnsafe(ref input, i));
            Vector256<float> value = Masked(Vector256.LoadUnsafe(ref gradient, i), xhat, constants, relu);
            value = Vector256.FusedMultiplyAdd(value, scale, -shift);
            Vector256.FusedMultiplyAdd(xhat, xhatScale, value).StoreUnsafe(ref result, i);
        }
    }

    private static LaneSum SquaredDeviations(ReadOnlySpan<float> x, Vector256<float> high, Vector256<float> low)
    {
        var sum = default(LaneSum);
        ref float first = ref MemoryMarshal.GetReference(x);
        for (int start = 0; start < x.Length; start += Chunk)
        {
            nuint end = (nuint)Math.Min(start + Chunk, x.Length);
            Vector256<float> part = Vector256<float>.Zero;
            for (nuint i = (nuint)start; i < end; i += 8)
            {
                Vector256<float> deviation = (Vector256.LoadUnsafe(ref first, i) - high) - low;
                part = Vector256.FusedMultiplyAdd(deviation, deviation, part);
            }

            sum.Add(part);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Masked(Vector256<float> dy, Vector256<float> xhat, in NormVectors constants, bool relu) =>
        relu ? Vector256.AndNot(dy, Vector256.LessThanOrEqual(constants.Affine(xhat), Vector256<float>.Zero)) : dy;
}
