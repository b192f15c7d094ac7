using System.Collections.Concurrent;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

public class ParameterPullTests
{
    private static readonly MessageHeader Header = new("job", 1, 5, 0, 1);

    private readonly ParameterLayout _layout = new(
    [
        new Parameter("0.weight", [1200 * Parameter.BlockSize], ParameterRole.Weight, 0, 0, 1, 1),
        new Parameter("1.weight", [2000], ParameterRole.Weight, 1, 0, 1, 1),
    ]);

    private readonly FakePartition[] _servers = [new(), new()];
    private readonly FakePartition?[] _beside = [null, null];
    private readonly ConcurrentDictionary<(int Tensor, long Version), float[]> _expected = new();
    private readonly PartitionPlan[] _plans;
    private readonly EngineWaits _waits = new("a/0");
    private readonly ParameterPull _pull;

    public ParameterPullTests()
    {
        _plans = [new PartitionPlan(_layout, 0, 2), new PartitionPlan(_layout, 1, 2)];
        _pull = new ParameterPull(_layout, _plans, _servers, _beside, _waits);
        for (int partition = 0; partition < 2; partition++)
        {
            PartitionPlan plan = _plans[partition];
            _servers[partition].OnPull = (header, chunk) => Task.FromResult<BlockAnswer>(Chunk(plan, header, chunk));
        }
    }

    [Fact]
    public void The_values_of_a_version_arrive_in_their_tensors()
    {
        PullAll(Header);
        Assert.Equal(Expected(0, 5), _layout.Tensors[0].Values);
        Assert.Equal(Expected(1, 5), _layout.Tensors[1].Values);

        PullAll(Header with { Step = 6 });
        Assert.Equal(Expected(1, 6), _layout.Tensors[1].Values);
    }

    [Fact]
    public void A_tensor_waits_for_its_own_chunks_only()
    {
        // Forward needs the first tensor first: it is in the last chunks, which are fetched first.
        var never = new TaskCompletionSource<BlockAnswer>();
        foreach ((FakePartition server, PartitionPlan plan) in _servers.Zip(_plans))
        {
            int[] first = plan.ChunksOfTensor(0).ToArray();
            server.OnPull = (header, chunk) => first.Contains(chunk) ? Task.FromResult<BlockAnswer>(Chunk(plan, header, chunk)) : never.Task;
        }

        _pull.Begin(Header);
        int[] shared = _plans[0].ChunksOfTensor(0).ToArray();
        Assert.DoesNotContain(_plans[0].ChunksOfTensor(1).ToArray(), chunk => !shared.Contains(chunk) && chunk > shared.Min());
        _pull.Wait(0);

        Assert.Equal(Expected(0, 5), _layout.Tensors[0].Values);
    }

    [Fact]
    public void A_version_that_is_not_there_yet_is_asked_for_again()
    {
        int early = 3;
        PartitionPlan plan = _plans[0];
        _servers[0].OnPull = (header, chunk) => Task.FromResult<BlockAnswer>(
            Interlocked.Decrement(ref early) >= 0 ? new BlockAnswer(Verdict.Future) : Chunk(plan, header, chunk));

        PullAll(Header);

        Assert.Equal(Expected(0, 5), _layout.Tensors[0].Values);
    }

    [Fact]
    public void An_ended_generation_aborts_the_step()
    {
        _servers[1].OnPull = (_, _) => Task.FromResult(new BlockAnswer(Verdict.Stale));

        StepAbortedException aborted = Assert.Throws<StepAbortedException>(() => PullAll(Header));

        Assert.Contains("partition 1", aborted.Message);
    }

    [Fact]
    public async Task A_chunk_that_fails_fails_every_wait_at_once()
    {
        int asked = 0;
        var gate = new TaskCompletionSource<BlockAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _servers[1].OnPull = (_, _) =>
        {
            Interlocked.Increment(ref asked);
            return gate.Task;
        };
        _servers[0].OnPull = (_, _) => Task.FromResult(new BlockAnswer(new Answer(Verdict.Rejected, "version 5 has been overwritten")));

        _pull.Begin(Header);
        foreach (int tensor in new[] { 0, 1 })
        {
            ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => Patience.Run(() => _pull.Wait(tensor)));
            Assert.Contains("version 5 has been overwritten", error.Message);
        }

        int before = Volatile.Read(ref asked);
        gate.SetResult(Chunk(_plans[1], Header, 0));

        // The next chunk would be asked for at once.
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal(before, Volatile.Read(ref asked));
    }

    [Fact]
    public void A_version_that_is_gone_ends_the_job_with_the_reason()
    {
        _servers[0].OnPull = (_, _) => Task.FromResult(new BlockAnswer(new Answer(Verdict.Rejected, "version 5 has been overwritten")));

        ConvNetException error = Assert.Throws<ConvNetException>(() => PullAll(Header));

        Assert.Equal(ExitCode.TrainingFailed, error.ExitCode);
        Assert.Contains("version 5 has been overwritten", error.Message);
    }

    [Fact]
    public void What_the_standby_on_the_workers_silo_has_comes_from_there()
    {
        PartitionPlan plan = _plans[1];
        int asked = 0;
        _beside[1] = new FakePartition
        {
            OnPull = (header, chunk) =>
            {
                Interlocked.Increment(ref asked);
                return Task.FromResult<BlockAnswer>(Chunk(plan, header, chunk));
            },
        };
        _servers[1].OnPull = (_, _) => throw new NotSupportedException();

        PullAll(Header);

        Assert.Equal(plan.Chunks.Length, asked);
        Assert.Equal(Expected(0, 5), _layout.Tensors[0].Values);
        Assert.Equal(Expected(1, 5), _layout.Tensors[1].Values);
    }

    [Theory]
    [InlineData(Verdict.Future)]
    [InlineData(Verdict.Stale)]
    [InlineData(Verdict.Rejected)]
    [InlineData(null)]
    public void What_it_does_not_have_comes_from_the_partition(Verdict? answer)
    {
        int asked = 0;
        _beside[0] = new FakePartition
        {
            OnPull = (_, _) =>
            {
                Interlocked.Increment(ref asked);
                return answer is { } verdict
                    ? Task.FromResult(new BlockAnswer(new Answer(verdict, "no")))
                    : Task.FromException<BlockAnswer>(new ConvNetException(ExitCode.Environment, "it holds no job."));
            },
        };

        PullAll(Header);

        Assert.Equal(_plans[0].Chunks.Length, asked);
        Assert.Equal(Expected(0, 5), _layout.Tensors[0].Values);
        Assert.Equal(Expected(1, 5), _layout.Tensors[1].Values);
    }

    private static float Value(int tensor, int index, long version) => tensor * 100_000 + (index % 5000) + version * 1_000_000;

    private float[] Expected(int tensor, long version) => _expected.GetOrAdd((tensor, version), _ => Values(tensor, version));

    private float[] Values(int tensor, long version)
    {
        Parameter parameter = _layout.Tensors[tensor];
        var values = new float[parameter.BlockCount * Parameter.BlockSize];
        for (int i = 0; i < parameter.Count; i++)
        {
            values[i] = Value(tensor, i, version);
        }

        return values;
    }

    private TensorBlock Chunk(PartitionPlan plan, MessageHeader header, int chunk)
    {
        var floats = new float[plan.Chunks[chunk].Length];
        plan.GatherChunk(chunk, tensor => Expected(tensor, header.Step), floats);
        return new TensorBlock(floats, 0, floats.Length);
    }

    private void PullAll(MessageHeader header)
    {
        _pull.Begin(header);
        _pull.Wait(0);
        _pull.Wait(1);
    }
}
