using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Parameters;

/// <summary>
/// Sums over parameters in a fixed order: float64 inside a block, then a binary tree over the block's index within its tensor,
/// then a binary tree over tensors. So they do not depend on which partition holds which block.
/// </summary>
public static class BlockTree
{
    /// <summary>
    /// Σx² of one block in float64, in eight interleaved partial sums that are then added in pairs. Squares of finite floats
    /// cannot overflow it, so the sum is finite exactly if every value is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double SquareSum(ReadOnlySpan<float> block)
    {
        // The eight sums are one vector, or two halves where the processor makes it of these.
        Vector512<double> sums = Vector512<double>.Zero;
        int i = 0;
        for (; i <= block.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(block.Slice(i, Vector256<float>.Count)));
            var values = Vector512.Create(low, high);
            sums = Vector512.FusedMultiplyAdd(values, values, sums);
        }

        Vector256<double> sum = sums.GetLower() + sums.GetUpper();
        double total = (sum[0] + sum[2]) + (sum[1] + sum[3]);
        for (; i < block.Length; i++)
        {
            total = Math.FusedMultiplyAdd(block[i], block[i], total);
        }

        return total;
    }

    /// <summary>Adds values in a binary tree over their index: pairs (0,1), (2,3), …, then pairs of pairs; an odd one moves up.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        if (values.Length <= 1)
        {
            return values.Length == 0 ? 0 : values[0];
        }

        int half = 1;
        while (half * 2 < values.Length)
        {
            half *= 2;
        }

        return Sum(values[..half]) + Sum(values[half..]);
    }

    /// <summary>Sums of each tensor, from the sums of all blocks by global block number.</summary>
    public static double[] SumByTensor(ParameterLayout layout, double[] blocks)
    {
        var sums = new double[layout.Tensors.Count];
        for (int tensor = 0; tensor < sums.Length; tensor++)
        {
            sums[tensor] = Sum(Array.ConvertAll(layout.BlocksOfTensor[tensor], block => blocks[block]));
        }

        return sums;
    }
}
