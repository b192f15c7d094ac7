using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Training;

/// <summary>
/// Runs a model on one device: forward, loss and backward on the samples of one worker, with the same bits on every device. It owns the
/// memory that comes with it. It knows the rest of the job only by the <see cref="StepExchange"/> of a step. Not thread-safe; the caller
/// is its main compute thread.
/// </summary>
/// <param name="model">What to run; no other runner may run it.</param>
/// <param name="team">Threads of the processor for what the device leaves to it; not owned.</param>
public abstract class ModelRunner(Model model, ThreadTeam team) : IDisposable
{
    private readonly Activation?[] _inputs = new Activation?[2];
    private int _current;

    public Model Model { get; } = model;

    /// <summary>Told where the time of a pass goes, if not null.</summary>
    public virtual StepProfile? Profile { get; set; }

    /// <summary>Threads of the processor.</summary>
    internal ThreadTeam Team { get; } = team;

    /// <summary>
    /// Refuses what the device has no room for, before a pass finds out. The processor's memory is not looked at: the operating system knows better.
    /// Any thread may call it.
    /// </summary>
    /// <param name="plan">Of the largest training step.</param>
    /// <exception cref="ConvNetException">The passes need more memory than is free (exit code 7).</exception>
    public virtual void DemandMemory(ShardPlan plan)
    {
    }

    /// <summary>
    /// True if the samples of the next step are to be prepared in <see cref="NextInput"/> while one runs: another device leaves the processor idle.
    /// </summary>
    public virtual bool PreparesAhead => false;

    /// <summary>The input of the next pass, for at least <paramref name="samples"/> samples, in the processor's memory; the caller fills it.</summary>
    public virtual Activation Input(int samples) => Reserve(ref _inputs[_current], samples);

    /// <summary>
    /// What <see cref="AdvanceInput"/> makes <see cref="Input"/>. Another thread may ask for it and fill it while a step runs.
    /// </summary>
    public virtual Activation NextInput(int samples) => Reserve(ref _inputs[1 - _current], samples);

    /// <summary>Exchanges both inputs, when no pass runs.</summary>
    public virtual void AdvanceInput() => _current = 1 - _current;

    /// <summary>
    /// Forward, loss and backward for this worker's samples of one step, which are in <see cref="Input"/>. With no samples it
    /// only waits for the version of the parameters, so that workers stay in step.
    /// </summary>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="sampleIndices">Index in the data set of each sample.</param>
    /// <returns>For each root of the plan, the loss and correct answers of its samples; valid until the next step.</returns>
    public abstract Metrics[] TrainStep(ShardPlan plan, StepExchange exchange, long step, ulong seed, int[] labels, int[] sampleIndices);

    /// <summary>
    /// Has the runner keep its parameters where it computes. Training steps then take them from there, need the whole batch, and hand no gradients to the
    /// exchange; evaluation takes <see cref="Engine.Parameters.Parameter.Values"/> as before.
    /// </summary>
    /// <param name="optimizer">Null to have none kept any more. What was kept before is given up.</param>
    /// <returns>Null if none are, or if they would be in the processor's memory, where the values and gradients are anyway.</returns>
    public virtual KeptParameters? KeepParameters(OptimizerSpec? optimizer) => null;

    /// <summary>
    /// Takes over the parameters' values and the running statistics for evaluation, folding each batch norm into the convolution
    /// before it. Call it again after a training step.
    /// </summary>
    public abstract void PrepareEvaluation(IReadOnlyList<BatchNormState> statistics);

    /// <summary>Logits of the samples in <see cref="Input"/>: (N, classes, 1, 1), in the processor's memory; valid until the next pass.</summary>
    public abstract Activation Predict(int samples);

    /// <summary>Loss and correct answers of the samples in <see cref="Input"/>, summed in their order.</summary>
    public abstract Metrics Evaluate(int samples, int[] labels);

    /// <summary>Frees all memory, that of the model's layers included; no pass may be running, and none may follow.</summary>
    public virtual void Dispose()
    {
        foreach (Activation? input in _inputs)
        {
            input?.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Makes room for the gradient roots of a step. Of one without samples there is nothing to compute: it has waited for the version of the parameters then.
    /// </summary>
    /// <returns>Whether there are samples.</returns>
    protected bool BeginStep(ShardPlan plan, StepExchange exchange)
    {
        bool hasSamples = plan.Samples > 0;
        for (int i = 0; i < Model.Parameters.Count; i++)
        {
            if (hasSamples)
            {
                Model.Parameters[i].ReserveRoots(plan.Roots.Length);
            }
            else
            {
                exchange.Pull(Model.Parameters[i]);
            }
        }

        return hasSamples;
    }

    /// <summary>Hands each batch norm its running statistics.</summary>
    protected void LoadStatistics(IReadOnlyList<BatchNormState> statistics)
    {
        foreach ((BatchNorm norm, BatchNormState state) in Model.BatchNorms.Zip(statistics))
        {
            norm.LoadStatistics(state);
        }
    }

    private Activation Reserve(ref Activation? input, int samples)
    {
        if (input is null || input.Capacity < samples)
        {
            input?.Dispose();
            input = new Activation(Model.Spec.Input, samples);
        }

        return input;
    }
}
