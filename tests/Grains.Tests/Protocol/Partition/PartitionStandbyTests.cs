using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Partition;

public class PartitionStandbyTests
{
    private static readonly Sgd Optimizer = new() { Momentum = 0.9 };

    private readonly PartitionMachine _serving = Create(InitializationKind.He);
    private readonly PartitionMachine _standby = Create(InitializationKind.Xavier);
    private readonly Chunk _chunk;

    public PartitionStandbyTests()
    {
        _serving.Begin(Doubled());
        _standby.Begin(Doubled(), asStandby: true);
        _chunk = _serving.Plan.Chunks.Single(chunk => !chunk.DeliveredByBatchNorm);
    }

    [Fact]
    public void A_standby_gets_the_state_in_pieces_and_takes_every_step_to_the_same_bits()
    {
        Assert.Equal(ForwardPart.Reset, _serving.NextForward()!.Part);
        Forward();
        Step(0);
        Forward();
        Step(1);
        Forward();

        Assert.True(_serving.IsProtected);
        Assert.Equal(2, _standby.Version);
        AssertSameBits(2);
    }

    [Fact]
    public void State_that_is_copied_in_the_middle_of_a_step_takes_part_in_it()
    {
        Forward(messages: 2);
        Complete(0);
        Forward();
        _serving.Commit(Commit());
        Forward();
        Step(1);
        Forward();

        AssertSameBits(2);
    }

    [Fact]
    public void No_step_ends_while_the_weights_of_a_chunk_are_copied_and_its_slots_are_not()
    {
        Forward(messages: 1);
        Complete(0);
        Assert.Equal((ForwardPart.State, StateSlot.Weights), (_serving.NextForward()!.Part, _serving.NextForward()!.Slot));
        Assert.Equal(Verdict.Future, _serving.Commit(Commit()).Verdict);
        Forward(messages: 1);
        Assert.Equal(Verdict.Future, _serving.Commit(Commit()).Verdict);
        Forward(messages: 1);
        Assert.Equal(Verdict.Accepted, _serving.Commit(Commit()).Verdict);
    }

    [Fact]
    public void A_step_is_not_reported_before_the_standby_has_taken_the_one_before()
    {
        Forward();
        Step(0);
        Complete(1);
        Assert.False(_serving.IsInStep);
        Assert.Null(_serving.Report);
        Assert.Equal(Verdict.Future, _serving.Commit(Commit(1)).Verdict);

        Forward();

        Assert.Equal(1, _serving.Report!.Header.Step);
    }

    [Fact]
    public void The_sums_of_a_committed_step_are_kept_for_the_standby_when_the_generation_changes()
    {
        Forward();
        Step(0);
        Forward();
        Step(1);
        Assert.Equal(1, _standby.Freeze(FromServer(generation: 2)).Version);
        Assignment next = Doubled(generation: 2, firstStep: 2, version: 1);
        _serving.Begin(next);
        _standby.Begin(next, asStandby: true);

        Assert.Equal(ForwardPart.Gradient, _serving.NextForward()!.Part);
        Forward();

        AssertSameBits(2);
        Assert.True(_serving.IsProtected);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(100)]
    public void A_standby_is_no_substitute_before_it_has_the_whole_state_and_the_version_before(int messages)
    {
        Forward(messages);
        Assert.Contains("in part only", _standby.Freeze(FromServer(generation: 2)).Answer.Reason);
    }

    [Fact]
    public void A_standby_gives_the_weights_that_it_has_and_never_those_of_a_part()
    {
        Forward(messages: 2);
        Assert.Equal(Verdict.Future, _standby.Pull(From(0, 0), 0).Verdict);
        Forward();
        Step(0);
        Assert.Equal(Verdict.Future, _standby.Pull(From(0, 0), 0).Verdict);
        Forward();

        Assert.Equal(_serving.Pull(From(0, 1), 0).Values!.Span, _standby.Pull(From(0, 1), 0).Values!.Span);
        Assert.Equal(_serving.Pull(From(0, 0), 0).Values!.Span, _standby.Pull(From(0, 0), 0).Values!.Span);
        Assert.Equal(Verdict.Future, _standby.Pull(From(0, 2), 0).Verdict);
        Step(1);
        Forward();
        Step(2);
        Forward();
        Step(3);
        Forward();
        Assert.Equal(Verdict.Future, _standby.Pull(From(0, 1), 0).Verdict);
        Assert.Equal(Verdict.Stale, _standby.Pull(From(0, 4, 0), 0).Verdict);
    }

    [Fact]
    public void A_standby_that_takes_its_partitions_place_serves_the_version_before_too()
    {
        Forward();
        Step(0);
        Forward();

        FrozenAt frozen = _standby.Freeze(FromServer(generation: 2));
        Assert.Equal((Verdict.Accepted, 1, 0), (frozen.Answer.Verdict, frozen.Version, frozen.Last!.Step));
        Assert.Equal(Verdict.Accepted, _standby.Begin(TwoWorkers(2) with { Start = AssignmentStart.GoOn }).Verdict);
        Assert.Equal(Verdict.Accepted, _standby.Pull(From(0, 0, 2), 0).Verdict);
        Assert.False(_standby.IsStandby);
    }

    [Fact]
    public void What_comes_twice_or_too_late_changes_nothing()
    {
        PartitionForward reset = _serving.NextForward()!;
        Forward();
        Step(0);
        PartitionForward gradient = _serving.NextForward()!;
        float[] floats = [.. _serving.FloatsOf(gradient)!.Span];
        Assert.Equal(Verdict.Accepted, _standby.Follow(gradient, floats).Verdict);
        Assert.Equal(Verdict.Duplicate, _standby.Follow(gradient, floats).Verdict);
        Forward();

        Assert.Equal(Verdict.Duplicate, _standby.Follow(reset, []).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _standby.Follow(gradient, floats).Verdict);
        Assert.Equal(Verdict.Stale, _standby.Follow(gradient with { Header = gradient.Header with { Generation = 0 } }, floats).Verdict);
        Assert.Equal(Verdict.Rejected, _serving.Follow(gradient, floats).Verdict);
        AssertSameBits(1);
    }

    private static Assignment Doubled(long generation = 1, long firstStep = 0, long version = Standby.Empty)
    {
        Assignment both = TwoWorkers(generation, firstStep);
        return both with
        {
            Start = generation == 1 ? AssignmentStart.Fresh : AssignmentStart.GoOn,
            Servers = both.Servers with { Standbys = [new Standby("t/job/0", version), null, null] },
        };
    }

    private static PartitionMachine Create(InitializationKind kind)
    {
        var state = new PartitionState(new PartitionPlan(Layout, 0, 1), Optimizer, 0);
        state.Initialize(1, kind);
        return new PartitionMachine(Job, Optimizer, state);
    }

    private void Step(long step)
    {
        Complete(step);
        Assert.Equal(Verdict.Accepted, _serving.Commit(Commit(step) with { Numbers = new StepNumbers(default, 1, 1, JobPosition.Start, null) }).Verdict);
    }

    private void Complete(long step)
    {
        _serving.Push(new GradientRoot(From(0, step), _chunk.Index, Left), Filled(_chunk.Length, 0.25f + step));
        _serving.Push(new GradientRoot(From(1, step), _chunk.Index, Right), Filled(_chunk.Length, 2));
        _serving.Deliver(FromServer(step), 0, Totals);
    }

    private void Forward(int messages = int.MaxValue)
    {
        for (int message = 0; message < messages && _serving.NextForward() is { } forward; message++)
        {
            Assert.True(_standby.Follow(forward, _serving.FloatsOf(forward) is { } floats ? floats.Span : []).IsAcknowledged);
            _serving.NoteForwarded(forward);
        }
    }

    private void AssertSameBits(long version)
    {
        MessageHeader header = FromServer(version, _serving.Generation);
        foreach (int slot in new[] { StateSlot.Weights, 0 })
        {
            foreach (Chunk chunk in _serving.Plan.Chunks)
            {
                Assert.Equal(_serving.Read(header, slot, chunk.Index).Values!.Span, _standby.Read(header, slot, chunk.Index).Values!.Span);
            }
        }
    }
}
