namespace ConvNet.Engine.Reduction;

/// <summary>The arithmetic of a job: how its samples are cut into epochs, steps and data shards.</summary>
/// <param name="Samples">Training samples, at least 1.</param>
/// <param name="Batch">B of the job; the last step of an epoch has the samples that are left, never fewer than 1.</param>
/// <param name="Shards">S of the job.</param>
/// <param name="TotalSteps">T: the job's length, over which schedules run.</param>
/// <param name="DropLast">An epoch ends with its last whole batch, and the samples that are left take no part in it; there must be one.</param>
public sealed record JobShape(int Samples, int Batch, int Shards, long TotalSteps, bool DropLast = false)
{
    /// <summary>⌈samples/batch⌉: the smaller last step counts; or ⌊samples/batch⌋ without it.</summary>
    public int StepsPerEpoch => DropLast ? Samples / Batch : (int)(((long)Samples + Batch - 1) / Batch);

    /// <summary>The epoch that a step belongs to, from 0.</summary>
    public int EpochOf(long step) => checked((int)(step / StepsPerEpoch));

    /// <summary>Epochs begun in so many steps, the last one perhaps in part.</summary>
    public long EpochsIn(long steps) => (steps + StepsPerEpoch - 1) / StepsPerEpoch;

    public int StepInEpoch(long step) => (int)(step % StepsPerEpoch);

    public bool EndsEpoch(long step) => StepInEpoch(step) == StepsPerEpoch - 1;

    /// <summary>Samples of this step over all workers.</summary>
    public int BatchOf(long step) => EndsEpoch(step) && !DropLast ? Samples - Batch * (StepsPerEpoch - 1) : Batch;

    /// <summary>Position in the epoch's order of the first sample of this step.</summary>
    public int FirstPositionOf(long step) => StepInEpoch(step) * Batch;

    /// <summary>The summation tree of this step.</summary>
    public ShardTree TreeOf(long step) => new(BatchOf(step), Shards);
}
