using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>
/// dγ and dβ of a normalization whose backward sums stay on this worker: ordinary gradients, summed over its shards in the order of the tree.
/// </summary>
internal sealed class AffineGradients(Parameter gamma, Parameter beta)
{
    private readonly GradientTree _tree = new();

    /// <summary>Sums the shards' halves to the roots of both tensors, and reports these as ready.</summary>
    /// <param name="leaves">The backward sums of each shard of the plan.</param>
    public void Reduce(StepContext step, ShardReduction<BackwardSums> leaves)
    {
        Reduce(beta, step, leaves, static sums => sums.Dy);
        Reduce(gamma, step, leaves, static sums => sums.DyXhat);
    }

    /// <param name="half">Takes the values out, which are rounded to float here.</param>
    private void Reduce(Parameter parameter, StepContext step, ShardReduction<BackwardSums> leaves, Func<BackwardSums, double[]> half)
    {
        _tree.Begin(parameter.Count);
        for (int i = 0; i < step.Plan.Shards.Length; i++)
        {
            double[] values = half(leaves[i]);
            Span<float> rounded = _tree.Leaf();
            for (int j = 0; j < rounded.Length; j++)
            {
                rounded[j] = (float)values[j];
            }

            LocalShard shard = step.Plan.Shards[i];
            if (_tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                sum.CopyTo(parameter.GradientRoot(shard.Root));
            }
        }

        step.Exchange.GradientReady(parameter);
    }
}
