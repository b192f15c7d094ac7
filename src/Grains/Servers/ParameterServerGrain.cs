using ConvNet.Engine.Errors;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Models;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Partition;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Servers;

/// <summary>Hosts a <see cref="PartitionMachine"/>: turns calls into its events, and its decisions into answers and reports.</summary>
[PinnedPlacement, KeepAlive, Immovable, Reentrant]
internal sealed class ParameterServerGrain : Grain, IParameterServerGrain
{
    private readonly VersionSignal _committed = new();
    private ServerAssignment _assignment = null!;
    private PartitionMachine? _machine;
    private float[] _weights = [];
    private float[][] _slots = [];
    private long _reportedStep = -1;

    private PartitionMachine Machine => _machine ?? throw JobNotHere();

    public async Task BeginAsync(ServerAssignment assignment)
    {
        if (_machine is null)
        {
            JobSpec job = JobSpec.FromJson(assignment.JobJson);
            var layout = new Model(job.Model, job.BatchNormMode).Layout;
            var plan = new PartitionPlan(layout, assignment.Partition, assignment.Partitions.Length);
            _weights = new float[plan.Length];
            _slots = [.. job.Optimizer.SlotNames.Select(_ => new float[plan.Length])];
            await Task.Run(() => Initialize(plan, job));
            _machine = new PartitionMachine(plan, job.Shape, job.Optimizer, assignment.Version, _weights, _slots);
        }

        _assignment = assignment;
        _reportedStep = -1;
        Throw(Machine.Begin(assignment.ToAssignment(), assignment.Version));
        _committed.Raise();
    }

    public Task<PushReply> PushAsync(PushHeader header, TensorBlock gradients)
    {
        using (gradients)
        {
            Answer answer = Machine.Push(header.ToMessageHeader(), header.Chunk, header.Node, gradients.Span);
            ReportIfComplete();
            return Task.FromResult(new PushReply(answer.Verdict, answer.Reason));
        }
    }

    public Task<PushReply> DeliverTotalsAsync(long generation, long step, int norm, TensorBlock totals)
    {
        using (totals)
        {
            BackwardSums sums = BatchNormPayload.ReadSums(totals, 1)[0];
            Answer answer = Machine.Deliver(generation, step, norm, sums);
            ReportIfComplete();
            return Task.FromResult(new PushReply(answer.Verdict, answer.Reason));
        }
    }

    public async Task<PullReply> PullAsync(long generation, long version, int worker, int chunk)
    {
        PullAnswer answer = Machine.Pull(generation, version, chunk);
        if (answer.Verdict == PullVerdict.NotYet)
        {
            await _committed.WaitAsync();
            answer = Machine.Pull(generation, version, chunk);
        }

        return new PullReply(
            answer.Verdict,
            answer.Verdict == PullVerdict.Ready ? new TensorBlock(answer.Buffer!, answer.Offset, answer.Length) : null);
    }

    public Task<PushReply> CommitAsync(long generation, long step, CommitOrder order)
    {
        Answer answer = Machine.Commit(new StepDecision(generation, step, order.Skip ? null : order.ToSettings()));
        _committed.Raise();
        return Task.FromResult(new PushReply(answer.Verdict, answer.Reason));
    }

    public Task<TensorBlock> ReadAsync(long generation, long version, int slot, int chunk)
    {
        if (generation != Machine.Generation || version != Machine.Version)
        {
            throw new JobException(
                ExitCode.Bug,
                $"partition {_assignment.Partition} was asked for version {version} of generation {generation}, " +
                $"but is at {Machine.Version} of {Machine.Generation}");
        }

        Chunk cut = Machine.Plan.Chunks[chunk];

        // A copy: the block is written to the network after this turn, when the next step may already run.
        float[] floats = (slot < 0 ? Machine.Weights : Machine.Slot(slot)).Slice(cut.Offset, cut.Length).ToArray();
        return Task.FromResult(new TensorBlock(floats, 0, floats.Length));
    }

    public Task InstallAsync(int slot, int chunk, TensorBlock values)
    {
        using (values)
        {
            Chunk cut = Machine.Plan.Chunks[chunk];
            values.Span.CopyTo((slot < 0 ? _weights : _slots[slot]).AsSpan(cut.Offset, cut.Length));
            return Task.CompletedTask;
        }
    }

    public Task ReleaseAsync()
    {
        _machine = null;
        _weights = [];
        _slots = [];
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private void Initialize(PartitionPlan plan, JobSpec job)
    {
        for (int tensor = 0; tensor < plan.Layout.Tensors.Count; tensor++)
        {
            Parameter parameter = plan.Layout.Tensors[tensor];
            if (!plan.ChunksOfTensor(tensor).IsEmpty)
            {
                var values = new float[parameter.Count];
                Initialization.Fill(parameter, job.Seed, job.Initialization, values);
                plan.Gather(tensor, values, _weights);
            }
        }
    }

    private void ReportIfComplete()
    {
        if (Machine.Report is { } report && report.Step != _reportedStep)
        {
            _reportedStep = report.Step;
            ReportAsync(report).Ignore();
        }
    }

    private Task ReportAsync(PartitionReport report) => ServerCalls.TellAsync(
        GrainFactory,
        _assignment,
        $"partition {_assignment.Partition}",
        () => GrainFactory.GetGrain<IStepCoordinatorGrain>(_assignment.ServerKey).ReportPartitionAsync(new PartitionStepReport(
            report.Generation, report.Step, report.Partition, report.NonFinite?.What, report.SquareSums, report.WeightSquareSums,
            report.NonFinite?.Worker)));

    private void Throw(Answer answer)
    {
        if (answer.Verdict is Verdict.Rejected or Verdict.Conflict)
        {
            throw new JobException(ExitCode.TrainingFailed, answer.Reason!);
        }
    }

    private JobException JobNotHere()
    {
        // Whoever asks is late or astray; an empty partition must not stay for it.
        DeactivateOnIdle();
        return new(ExitCode.Environment, $"partition '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted: resume from the last checkpoint");
    }
}
