using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>Weights in the order in which products read them.</summary>
internal static class WeightPacking
{
    /// <summary>Items are (tap, channel, filter of all groups), filters padded to whole blocks with zeros.</summary>
    /// <param name="weights">(K, C/groups, R, S).</param>
    /// <param name="outputs">Filters that there are; of backward data, input channels.</param>
    /// <param name="outputsPerGroup">Of these, filters of one group.</param>
    /// <param name="channels">That are summed over.</param>
    /// <param name="steps">How far apart weights lie.</param>
    public static void Pack(
        Index1D i, ArrayView<Float32> weights, ArrayView<Float32> packed, int outputs, int outputsPerGroup, int channels, WeightSteps steps)
    {
        int padded = (outputs + 7) / 8 * 8;
        int output = i % padded;
        int channel = i / padded % channels;
        int tap = i / padded / channels;
        packed[i] = output < outputs
            ? weights[output / outputsPerGroup * steps.Group + output % outputsPerGroup * steps.Output + channel * steps.Channel + tap]
            : Float32.Zero;
    }
}
