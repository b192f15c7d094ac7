using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>What a forward and a backward pass over some layers gave, in plain (N, C, H, W) order.</summary>
/// <param name="Gradients">By parameter name; γ and β of batch norms included.</param>
/// <param name="Moments">Of the whole batch, by name of the batch norm.</param>
internal sealed record LayerResult(
    float[] Y, float[] Dx, IReadOnlyDictionary<string, float[]> Gradients, IReadOnlyDictionary<string, Moments> Moments);
