using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// One partition of the parameter server: sums gradients over the tree of shards, reports when it holds the whole of a step, and
/// applies a step exactly once, when told to. Pure: no clock and no I/O; not thread-safe.
/// <para>
/// A partition that owns no block (a model with fewer blocks than partitions) never reports; the coordinator does not wait for it.
/// </para>
/// </summary>
/// <param name="state">Taken over: only this machine may change it from now on.</param>
public sealed partial class PartitionMachine(JobShape job, OptimizerSpec optimizer, PartitionState state)
{
    private readonly StepFence _fence = new(job.TotalSteps);
    private readonly Restoration<(int Slot, int Chunk)> _restoration = new($"partition {state.Plan.Partition}");
    private StagedStep? _open;
    private EarlierRoots? _earlier;
    private PartitionReport? _report;
    private StepDecision? _last;
    private MessageHeader? _reported;

    public PartitionPlan Plan => state.Plan;

    /// <summary>Steps applied or skipped so far; also the number of the open step.</summary>
    public long Version => state.Version;

    public long Generation => _fence.Generation;

    /// <summary>
    /// Set from the message that completes the open step until its commit. Held back while a standby has not taken the step before, so that no
    /// copy ever falls two steps behind: look after what it has taken, too.
    /// </summary>
    public PartitionReport? Report => IsInStep ? _report : null;

    /// <summary>Takes no message of a generation before the header's from now on, and says at which version it stays.</summary>
    public FrozenAt Freeze(MessageHeader header) => Answer(_fence.Freeze(header, Version));

    /// <summary>Starts a generation and drops what was staged of an uncommitted step.</summary>
    /// <param name="assignment">Its first step is this version, or the one before if another server has not committed it.</param>
    /// <param name="asStandby">It follows the partition that serves, and may be at another version.</param>
    public Answer Begin(Assignment assignment, bool asStandby = false)
    {
        if (asStandby)
        {
            return BeginAsStandby(assignment);
        }

        if (_fence.IsNext(assignment) && assignment.Start == AssignmentStart.GoOn && WhyLost() is { } lost)
        {
            return lost;
        }

        Assignment? before = _fence.Assignment;
        Answer answer = _fence.Begin(assignment, Version);
        if (answer.Verdict == Verdict.Accepted)
        {
            StagedStep? interrupted = assignment.FirstStep == Version ? _open : null;
            _earlier = EarlierRoots.Before(
                assignment, _earlier, interrupted is null ? null : earlier => interrupted.AddTo(earlier, worker => before!.Workers[worker].Name));
            _restoration.Begin(assignment, Plan.Chunks.SelectMany(chunk => state.Slots.Select(slot => (slot, chunk.Index))));
            Drop();
            Serve(assignment);
        }

        return answer;
    }

    /// <summary>Takes the gradient of one chunk, summed over the shards below one root of the sender's plan. The floats are copied.</summary>
    public Answer Push(GradientRoot root, ReadOnlySpan<float> gradient)
    {
        MessageHeader header = root.Header;
        if ((_fence.ScreenWorker(header) ?? _fence.ScreenStep(header.Step, Version)) is { } screened)
        {
            return screened;
        }

        StagedStep step = OpenStep();
        if (step.WhyInvalid(header.Worker, root.Chunk, root.Node, gradient.Length) is { } reason)
        {
            return new Answer(Verdict.Rejected, $"worker {_fence.WorkerName(header.Worker)} pushed {reason} in step {header.Step}.");
        }

        Verdict verdict = step.Push(header.Worker, root.Chunk, root.Node, gradient);
        if (verdict == Verdict.Conflict)
        {
            return new Answer(
                verdict,
                $"worker {_fence.WorkerName(header.Worker)} pushed chunk {root.Chunk}, tree node {root.Node} of step {header.Step} twice with " +
                "different bytes.");
        }

        if (_earlier is { } earlier && verdict == Verdict.Accepted)
        {
            earlier.Compare(root.Chunk, root.Node, _fence.WorkerName(header.Worker), step.PrintOf(root.Chunk, root.Node)!.Value);
        }

        ReportIfComplete(step);
        return verdict;
    }

    /// <summary>Takes the totals of a batch norm's backward sums, of which this partition may own a part, or nothing.</summary>
    public Answer Deliver(MessageHeader header, int norm, BackwardSums totals)
    {
        if ((_fence.Screen(header) ?? _fence.ScreenStep(header.Step, Version)) is { } screened)
        {
            return screened;
        }

        StagedStep step = OpenStep();
        Answer answer = step.Deliver(norm, totals);
        ReportIfComplete(step);
        return answer;
    }

    /// <summary>Applies or skips the open step: version t + 1. Told again, or told about an earlier step, it does nothing.</summary>
    public Answer Commit(StepDecision decision)
    {
        if (_fence.ScreenDecision(decision, Version) is { } screened)
        {
            return screened;
        }

        if (!IsInStep)
        {
            // The standby must not fall two steps behind.
            return Verdict.Future;
        }

        if (_report is null && Plan.Blocks.Length > 0)
        {
            // A decision told again to a generation that runs its step again may overtake the totals that the batch norms deliver: all
            // workers are through then, but their reports do not vouch for those.
            return decision.Step == _fence.FirstStep && _fence.Assignment!.Start == AssignmentStart.GoOn ? Verdict.Future : new Answer(
                Verdict.Rejected, $"partition {Plan.Partition} was told to commit step {decision.Step}, but its sums are not complete.");
        }

        if (decision.IsToldAgain && Plan.Blocks.Length > 0 && _reported != decision.Header)
        {
            return Verdict.Future;
        }

        state.Advance(decision.Settings, visit => _open?.VisitGradients(visit));
        if (_sender is { } sender)
        {
            sender.Keep(decision, _open);
            _open = null;
        }

        Drop();
        (_earlier, _last) = (null, decision);
        return Verdict.Accepted;
    }

    /// <summary>The coordinator has taken the report of a step: if that is decided already, these are the sums that the decision is about.</summary>
    public void NoteReported(MessageHeader header) => _reported = header;

    /// <summary>The weights of a chunk at the version before the header's step. A standby gives them, too, once it has them: they have the same bits.</summary>
    public BlockAnswer Pull(MessageHeader header, int chunk)
    {
        if (_fence.ScreenWorker(header) is { } screened)
        {
            return screened;
        }

        if (header.Step > Version || (IsStandby && (!HoldsState || header.Step < state.Oldest)))
        {
            return new BlockAnswer(Verdict.Future);
        }

        if (header.Step < state.Oldest)
        {
            return new Answer(
                Verdict.Rejected,
                $"version {header.Step} has been overwritten: partition {Plan.Partition} is at version {Version}; go back to a checkpoint.");
        }

        return Refusal(WhyNoChunk(StateSlot.Weights, chunk)) is { } refused
            ? refused
            : new BlockAnswer(Verdict.Accepted, state.WeightsAt(header.Step, Plan.Chunks[chunk]));
    }

    /// <summary>A copy of a chunk of the weights or of an optimizer slot at the header's version, which must be the newest.</summary>
    public BlockAnswer Read(MessageHeader header, int slot, int chunk)
    {
        if ((_fence.ScreenRead(header, Version) ?? Refusal(WhyNoChunk(slot, chunk))) is { } screened)
        {
            return screened;
        }

        // A copy: the block is written to the network after this turn, when the next step may already run.
        float[] floats = state.Read(slot, Plan.Chunks[chunk]).ToArray();
        return new TensorBlock(floats, 0, floats.Length);
    }

    /// <summary>Overwrites a chunk from a checkpoint of the version at which this generation began, before its first step.</summary>
    public Answer Install(MessageHeader header, int slot, int chunk, ReadOnlySpan<float> values)
    {
        if ((_fence.ScreenInstall(header, Version) ?? Refusal(WhyNoChunk(slot, chunk))) is { } screened)
        {
            return screened;
        }

        state.Install(slot, Plan.Chunks[chunk], values);
        _restoration.NoteInstalled((slot, chunk));
        return Verdict.Accepted;
    }

    private FrozenAt Answer(FrozenAt frozen) => frozen.Answer.Verdict != Verdict.Accepted ? frozen
        : WhyLost() is { } lost ? FrozenAt.Not(lost)
        : frozen with { Last = _last };

    private static Answer? Refusal(string? reason) => reason is null ? null : new Answer(Verdict.Rejected, reason);

    private string? WhyNoChunk(int slot, int chunk) =>
        (uint)chunk < (uint)Plan.Chunks.Length && state.HasSlot(slot)
            ? null
            : $"partition {Plan.Partition} has {Plan.Chunks.Length} chunks and {optimizer.SlotNames.Count} optimizer slots, " +
                $"so there is no chunk {chunk} of slot {slot}.";

    private StagedStep OpenStep() => _open ??= new StagedStep(Plan, new StepNodes(job, _fence.Assignment!, Version));

    private void Drop()
    {
        _open?.Dispose();
        (_open, _report) = (null, null);
    }

    private void ReportIfComplete(StagedStep step)
    {
        if (step.IsComplete && _report is null)
        {
            _report = new PartitionReport(
                _fence.Assignment!.HeaderOf(Version),
                Plan.Partition,
                step.SquareSums,
                WeightSquareSums(),
                step.FindNonFinite(_fence.WorkerName),
                step.FindDisagreement(_earlier));
        }
    }

    private double[] WeightSquareSums()
    {
        if (!optimizer.NeedsWeightNorms)
        {
            return [];
        }

        var sums = new double[Plan.Blocks.Length];
        for (int block = 0; block < sums.Length; block++)
        {
            sums[block] = BlockTree.SquareSum(state.Weights.Slice(block * Parameter.BlockSize, Parameter.BlockSize));
        }

        return sums;
    }
}
