using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>
/// What a training step needs from the rest of the job: parameters, the sums over the other workers' shards, and a place for
/// gradients. Called from the engine's main thread only; methods that return data block until it is there. What they are given is
/// memory that the next step reuses: an exchange that needs it for longer copies it.
/// </summary>
public abstract class StepExchange
{
    /// <summary>Fills <see cref="Parameter.Values"/> with version t of the tensor; called in forward order, before the layer runs.</summary>
    public abstract void Pull(Parameter parameter);

    /// <summary>The gradient roots of this tensor are complete; the exchange may send them while backward goes on. It must have
    /// copied or sent them by the time the step ends.</summary>
    public abstract void GradientReady(Parameter parameter);

    /// <summary>
    /// Adds this worker's moments (one per root of the plan) to the tree and returns those of the whole batch.
    /// </summary>
    /// <param name="norm">Index of the batch norm among the model's batch norms, in forward order.</param>
    public abstract Moments ReduceMoments(int norm, Moments[] roots);

    /// <summary>The same for the backward sums. The totals are dβ and dγ; the exchange sees to it that they reach their owner.</summary>
    public abstract BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots);

    /// <summary>
    /// Adds moments for the running statistics only, without waiting: those of ghost batch norm, or of a worker that has the whole batch.
    /// </summary>
    public abstract void ReportMoments(int norm, Moments[] roots);

    /// <summary>Adds the backward sums of a worker that has the whole batch, which are the totals, without waiting.</summary>
    public abstract void ReportBackwardSums(int norm, BackwardSums[] roots);
}
