using ConvNet.Engine.Errors;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// One partition of the parameter server: sums gradients over the tree of shards, reports when it holds the whole of a step, and
/// applies a step exactly once, when told to. Pure: no clock and no I/O; not thread-safe.
/// <para>
/// Version t stays readable, and its memory unchanged, until t + 2 is committed. That is enough: a step is decided only after all
/// workers have reported it, and a worker reports only after it has pulled the step's version, so nobody needs t by then.
/// </para>
/// A partition that owns no block (a model with fewer blocks than partitions) never reports; the coordinator does not wait for it.
/// </summary>
public sealed class PartitionMachine
{
    private const int Ring = 3;

    private readonly JobShape _job;
    private readonly OptimizerSpec _optimizer;
    private readonly StepFence _fence;
    private readonly float[][] _versions = new float[Ring][];
    private readonly float[][] _slots;
    private readonly long _oldest;
    private StagedStep? _open;

    /// <param name="version">Steps that the weights have seen.</param>
    /// <param name="weights">Local storage (<see cref="PartitionPlan.Gather"/>), padding zero. The machine takes it over.</param>
    /// <param name="slots">The same for each of <see cref="OptimizerSpec.SlotNames"/>; zeros at version 0. Taken over as well.</param>
    public PartitionMachine(PartitionPlan plan, JobShape job, OptimizerSpec optimizer, long version, float[] weights, float[][] slots)
    {
        if (slots.Length != optimizer.SlotNames.Count || slots.Append(weights).Any(values => values.Length != plan.Length))
        {
            throw ConvNetException.BadInput(
                $"partition {plan.Partition} needs {plan.Length} floats of weights and of each of {optimizer.SlotNames.Count} optimizer slots, " +
                $"but got {weights.Length} and {string.Join(", ", slots.Select(slot => slot.Length))}.");
        }

        Plan = plan;
        _job = job;
        _optimizer = optimizer;
        _fence = new StepFence(job.TotalSteps);
        _slots = slots;
        _oldest = version;
        Version = version;
        _versions[version % Ring] = weights;
        for (int i = 0; i < Ring; i++)
        {
            _versions[i] ??= new float[plan.Length];
        }
    }

    public PartitionPlan Plan { get; }

    /// <summary>Steps applied or skipped so far; also the number of the open step.</summary>
    public long Version { get; private set; }

    public long Generation => _fence.Generation;

    /// <summary>Set from the message that completes the open step until its commit.</summary>
    public PartitionReport? Report { get; private set; }

    /// <summary>Weights of the newest version.</summary>
    public ReadOnlySpan<float> Weights => _versions[Version % Ring];

    /// <summary>Optimizer state of the newest version, in the order of <see cref="OptimizerSpec.SlotNames"/>. Overwritten by a commit.</summary>
    public float[] Slot(int slot) => _slots[slot];

    /// <summary>Starts a generation and drops what was staged of an uncommitted step.</summary>
    /// <param name="firstStep">The step that the workers run first: this version, or the one before if another server has not committed it.</param>
    public Answer Begin(Assignment assignment, long firstStep)
    {
        Answer answer = _fence.Begin(assignment, firstStep, Version);
        if (answer.Verdict == Verdict.Accepted)
        {
            Drop();
        }

        return answer;
    }

    /// <summary>Takes the gradient of one chunk, summed over the shards below one root of the sender's plan. The floats are copied.</summary>
    public Answer Push(MessageHeader header, int chunk, TreeNode node, ReadOnlySpan<float> gradient)
    {
        if ((_fence.Screen(header) ?? _fence.ScreenStep(header.Step, Version)) is { } screened)
        {
            return screened;
        }

        StagedStep step = OpenStep();
        if (step.WhyInvalid(header.Worker, chunk, node, gradient.Length) is { } reason)
        {
            return new Answer(Verdict.Rejected, $"worker {_fence.WorkerName(header.Worker)} pushed {reason} in step {header.Step}");
        }

        Verdict verdict = step.Push(header.Worker, chunk, node, gradient);
        if (verdict == Verdict.Conflict)
        {
            return new Answer(
                verdict,
                $"worker {_fence.WorkerName(header.Worker)} pushed chunk {chunk}, tree node {node} of step {header.Step} twice with different bytes");
        }

        ReportIfComplete(step);
        return verdict;
    }

    /// <summary>Takes the totals of a batch norm's backward sums, of which this partition may own a part, or nothing.</summary>
    public Answer Deliver(long generation, long step, int norm, BackwardSums totals)
    {
        if ((_fence.Screen(generation) ?? _fence.ScreenStep(step, Version)) is { } screened)
        {
            return screened;
        }

        StagedStep staged = OpenStep();
        Answer answer = staged.Deliver(norm, totals);
        ReportIfComplete(staged);
        return answer;
    }

    /// <summary>Applies or skips the open step: version t + 1. Told again, or told about an earlier step, it does nothing.</summary>
    public Answer Commit(StepDecision decision)
    {
        if (_fence.Screen(decision.Generation) is { } screened)
        {
            return screened;
        }

        if (decision.Step < Version)
        {
            return Verdict.AlreadyApplied;
        }

        if (decision.Step > Version)
        {
            return Verdict.Future;
        }

        if (Report is null && Plan.Blocks.Length > 0)
        {
            return new Answer(
                Verdict.Rejected, $"partition {Plan.Partition} was told to commit step {decision.Step}, but its sums are not complete");
        }

        float[] next = _versions[(Version + 1) % Ring];
        if (decision.Settings is { } settings)
        {
            Apply(settings, next);
        }
        else
        {
            Weights.CopyTo(next);
        }

        Version++;
        Drop();
        return Verdict.Accepted;
    }

    /// <summary>The floats of a chunk at a version.</summary>
    public PullAnswer Pull(long generation, long version, int chunk)
    {
        if (generation < Generation)
        {
            return new PullAnswer(PullVerdict.Stale);
        }

        if ((uint)chunk >= (uint)Plan.Chunks.Length)
        {
            return new PullAnswer(PullVerdict.Rejected);
        }

        if (generation > Generation || version > Version)
        {
            return new PullAnswer(PullVerdict.NotYet);
        }

        if (version < _oldest || version < Version - 1)
        {
            return new PullAnswer(PullVerdict.TooOld);
        }

        Chunk cut = Plan.Chunks[chunk];
        return new PullAnswer(PullVerdict.Ready, _versions[version % Ring], cut.Offset, cut.Length);
    }

    private StagedStep OpenStep() => _open ??= new StagedStep(Plan, new StepNodes(_job, _fence.Assignment!, Version));

    private void Drop()
    {
        _open?.Dispose();
        _open = null;
        Report = null;
    }

    private void ReportIfComplete(StagedStep step)
    {
        if (step.IsComplete && Report is null)
        {
            double[] weightSquareSums = [];
            if (_optimizer.NeedsWeightNorms)
            {
                weightSquareSums = new double[Plan.Blocks.Length];
                for (int block = 0; block < weightSquareSums.Length; block++)
                {
                    weightSquareSums[block] = BlockTree.SquareSum(Weights.Slice(block * Parameter.BlockSize, Parameter.BlockSize));
                }
            }

            Report = new PartitionReport(
                Generation, Version, Plan.Partition, step.SquareSums, weightSquareSums, step.FindNonFinite(_fence.WorkerName));
        }
    }

    private void Apply(StepSettings settings, float[] next)
    {
        float[] weights = _versions[Version % Ring];
        _open?.VisitGradients((firstBlock, gradient) =>
        {
            for (int i = 0; i < gradient.Length; i += Parameter.BlockSize)
            {
                int block = firstBlock + i / Parameter.BlockSize;
                int offset = block * Parameter.BlockSize;
                _optimizer.Apply(
                    settings,
                    settings.TensorRate(Plan.BlockAt(block).Tensor),
                    weights.AsSpan(offset, Parameter.BlockSize),
                    gradient.Slice(i, Parameter.BlockSize),
                    SlotSpan(0, offset),
                    SlotSpan(1, offset),
                    next.AsSpan(offset, Parameter.BlockSize));
            }
        });
    }

    private Span<float> SlotSpan(int slot, int offset) =>
        slot < _slots.Length ? _slots[slot].AsSpan(offset, Parameter.BlockSize) : [];
}
