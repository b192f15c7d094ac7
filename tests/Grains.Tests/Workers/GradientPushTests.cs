using ConvNet.Engine.Errors;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

public class GradientPushTests
{
    private static readonly MessageHeader Header = new("job", 1, 5, 0, 1);
    private static readonly TreeNode[] Roots = [new(1, 0), new(0, 2)];

    /// <summary>The first tensor fills a bucket of 256 blocks and a part of the next, which it shares with the second; γ is batch norm's.</summary>
    private readonly ParameterLayout _layout = new(
    [
        new Parameter("0.weight", [300 * Parameter.BlockSize], ParameterRole.Weight, 0, 0, 1, 1),
        new Parameter("1.weight", [3], ParameterRole.Scale, 1, 0, 1, 1, deliveredByBatchNorm: true),
        new Parameter("2.weight", [2000], ParameterRole.Weight, 2, 0, 1, 1),
    ]);

    private readonly FakePartition[] _servers = [new(), new()];
    private readonly PartitionPlan[] _plans;
    private readonly EngineWaits _waits = new("a/0");
    private readonly GradientPush _push;

    public GradientPushTests()
    {
        _plans = [new PartitionPlan(_layout, 0, 2), new PartitionPlan(_layout, 1, 2)];
        _push = new GradientPush(_layout, _plans, _servers, _waits);
        foreach (Parameter tensor in _layout.Tensors)
        {
            tensor.ReserveRoots(Roots.Length);
        }

        Fill(_layout.Tensors[0], 0);
        Fill(_layout.Tensors[2], 1_000_000);
    }

    [Fact]
    public void A_bucket_is_sent_when_its_last_tensor_is_complete()
    {
        _push.Begin(Header, Roots);
        _push.Ready(_layout.Tensors[2]);
        Assert.All(_servers, server => Assert.Empty(server.Pushes));

        _push.Ready(_layout.Tensors[0]);
        _push.Finish();

        Assert.Equal(Pushed(), _servers.SelectMany((server, p) => server.Pushes.Select(push => (p, push.Root))).Order(Comparer));
    }

    [Fact]
    public void Each_push_holds_the_floats_of_its_chunk_and_root()
    {
        Send();

        for (int partition = 0; partition < 2; partition++)
        {
            foreach ((GradientRoot root, float[] gradients) in _servers[partition].Pushes)
            {
                var expected = new float[gradients.Length];
                int index = Array.IndexOf(Roots, root.Node);
                _plans[partition].GatherChunk(root.Chunk, tensor => _layout.Tensors[tensor].GradientRoot(index), expected);
                Assert.Equal(expected, gradients);
                Assert.Contains(gradients, value => value != 0);
            }
        }
    }

    [Fact]
    public async Task No_more_than_four_messages_are_on_their_way_to_a_partition()
    {
        var gate = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (FakePartition server in _servers)
        {
            server.OnPush = _ => gate.Task;
        }

        Task sending = Patience.Run(Send);
        await Patience.Until(() => _servers.All(server => Sent(server) >= 4));

        // A fifth would come at once if it could.
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.All(_servers, server => Assert.Equal(4, Sent(server)));
        gate.SetResult(Verdict.Accepted);
        await sending;
        Assert.Equal(Pushed().Count(), _servers.Sum(Sent));
    }

    [Fact]
    public async Task A_slow_partition_holds_up_neither_the_engine_nor_the_others()
    {
        var gate = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _servers[0].OnPush = _ => gate.Task;

        await Patience.Run(Hand);
        await Patience.Until(() => Sent(_servers[1]) == Pushed().Count(push => push.Partition == 1));
        Assert.Equal(4, Sent(_servers[0]));

        gate.SetResult(Verdict.Accepted);
        await Patience.Run(_push.Finish);
        Assert.Equal(Pushed().Count(), _servers.Sum(Sent));
    }

    [Fact]
    public async Task After_a_step_is_abandoned_no_gradient_is_read_any_more()
    {
        var gate = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _servers[0].OnPush = _ => gate.Task;
        Hand();

        _push.Abandon();
        gate.SetResult(Verdict.Accepted);

        // A fifth would come at once if it could.
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal(4, Sent(_servers[0]));
    }

    [Fact]
    public async Task A_push_that_is_refused_ends_the_step_while_others_are_not_answered()
    {
        _servers[0].OnPush = _ => new TaskCompletionSource<Answer>().Task;
        _servers[1].OnPush = _ => Task.FromResult(new Answer(Verdict.Rejected, "no chunk 7"));

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => Patience.Run(Send));

        Assert.Contains("no chunk 7", error.Message);
    }

    [Fact]
    public void A_push_whose_answer_was_lost_is_sent_again_with_the_same_bytes()
    {
        bool lost = false;
        _servers[0].OnPush = _ =>
        {
            bool lose = !lost;
            lost = true;
            return lose ? Task.FromException<Answer>(new TimeoutException("lost")) : Task.FromResult<Answer>(Verdict.Duplicate);
        };

        Send();

        (GradientRoot first, float[] bytes) = _servers[0].Pushes[0];
        (GradientRoot Root, float[] Gradients)[] same = [.. _servers[0].Pushes.Where(push => push.Root == first)];
        Assert.Equal(2, same.Length);
        Assert.Equal(bytes, same[1].Gradients);
    }

    [Fact]
    public void A_push_that_is_refused_ends_the_step_with_the_reason()
    {
        _servers[1].OnPush = _ => Task.FromResult(new Answer(Verdict.Conflict, "worker a/0 sent it twice"));

        ContradictionException error = Assert.Throws<ContradictionException>(Send);

        Assert.Equal(ExitCode.TrainingFailed, error.ExitCode);
        Assert.Contains("worker a/0 sent it twice", error.Message);
    }

    private static readonly Comparer<(int Partition, GradientRoot Root)> Comparer = Comparer<(int Partition, GradientRoot Root)>.Create(
        (a, b) => (a.Partition, a.Root.Chunk, a.Root.Node.Index).CompareTo((b.Partition, b.Root.Chunk, b.Root.Node.Index)));

    private static void Fill(Parameter tensor, float offset)
    {
        for (int root = 0; root < Roots.Length; root++)
        {
            for (int i = 0; i < tensor.Count; i++)
            {
                tensor.GradientRoot(root)[i] = offset + (i % 4096) + root * 10_000;
            }
        }
    }

    /// <summary>Everything that workers push, once for each root.</summary>
    private IEnumerable<(int Partition, GradientRoot Root)> Pushed() => _plans
        .SelectMany((plan, p) => plan.Chunks.Where(chunk => !chunk.DeliveredByBatchNorm)
            .SelectMany(chunk => Roots.Select(node => (p, new GradientRoot(Header, chunk.Index, node)))))
        .Order(Comparer);

    private static int Sent(FakePartition server)
    {
        lock (server.Pushes)
        {
            return server.Pushes.Count;
        }
    }

    private void Hand()
    {
        _push.Begin(Header, Roots);
        _push.Ready(_layout.Tensors[2]);
        _push.Ready(_layout.Tensors[0]);
    }

    private void Send()
    {
        Hand();
        _push.Finish();
    }
}
