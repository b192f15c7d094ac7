using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// dγ and dβ of layer norm, whose elements have their own: summed over the samples of a shard in their order, in double, and rounded, as the engine's
/// LayerNorm does. An item is an element, in logical order, of a shard.
/// </summary>
internal static class ElementGradients
{
    /// <param name="first">First[s] … First[s + 1] − 1 are the samples of shard s.</param>
    /// <param name="gammas">(shards, C·H·W).</param>
    public static void Sum(
        Index1D i,
        ArrayView<Float32> dy,
        ArrayView<Float32> xhat,
        ArrayView<int> first,
        ArrayView<Float32> gammas,
        ArrayView<Float32> betas,
        ElementPlaces places)
    {
        int shard = i / places.Count;
        int place = places.Of(i - shard * places.Count);
        int end = first[shard + 1];
        Float64 gamma = Float64.Zero, beta = Float64.Zero;
        for (int n = first[shard]; n < end; n++)
        {
            Float64 gradient = dy[n * places.Stride + place];
            gamma = gamma + gradient * (Float64)xhat[n * places.Stride + place];
            beta = beta + gradient;
        }

        gammas[i] = (Float32)gamma;
        betas[i] = (Float32)beta;
    }

    /// <summary>γ or β from logical order to that of a sample. An item is an element.</summary>
    public static void Block(Index1D i, ArrayView<Float32> values, ArrayView<Float32> blocked, ElementPlaces places) => blocked[places.Of(i)] = values[i];
}
