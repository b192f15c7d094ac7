using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Partition;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A worker's part in one generation: it carries out its orders one after the other until its life ends, or a server says that it is out of date.
/// </summary>
internal sealed class FakeWorker(SimulatedCluster cluster, Assignment assignment, int index, Life life)
{
    private readonly FakeModel _model = cluster.Model;
    private Task _work = Task.CompletedTask;

    public void Train(long firstStep, long endStep) => Post(async () =>
    {
        for (long step = firstStep; step < endStep && !life.IsOver; step++)
        {
            await StepAsync(step).ConfigureAwait(false);
        }
    });

    public void Evaluate(long version, int firstBlock, int endBlock) => Post(async () =>
    {
        float[][] weights = await PullAsync(version).ConfigureAwait(false);
        var statistics = new List<BatchNormState>();
        foreach (BatchNormState norm in _model.InitialStatistics())
        {
            BlockAnswer answer = await cluster.CallAsync(
                life,
                assignment.Servers.BatchNorm,
                copy => cluster.ReadStatistics(copy, assignment.HeaderOf(version, index), statistics.Count),
                reply => reply.Verdict != Verdict.Future).ConfigureAwait(false);
            if (answer.Verdict != Verdict.Accepted)
            {
                await OutOfDateAsync(answer.Verdict == Verdict.Stale ? null : $"read statistics of {version}: {answer.Answer.Reason}").ConfigureAwait(false);
            }

            statistics.Add(FakeState.StatisticsOf(norm.Name, answer));
        }

        Metrics[] blocks = _model.EvaluateBlocks(firstBlock, endBlock, weights, statistics);
        Answer taken = await cluster.CallHeadAsync(
            life,
            grain => grain.EvaluationDone(assignment.HeaderOf(version, index), firstBlock, blocks),
            IsFinal,
            new SimulatedEvent.Evaluated(index, firstBlock, assignment.Generation)).ConfigureAwait(false);
        if (taken.IsRefused)
        {
            cluster.Complain($"evaluation by {assignment.Workers[index]}: {taken.Reason}");
        }
    });

    private void Post(Func<Task> order)
    {
        _work = AfterAsync(_work, order);
        cluster.Watch(_work);
    }

    private static async Task AfterAsync(Task before, Func<Task> order)
    {
        await before.ConfigureAwait(false);
        await order().ConfigureAwait(false);
    }

    private static T[] Reduce<T>(ShardPlan plan, Func<LocalShard, T> leafOf, Func<T, T, T> combine)
    {
        var roots = new T[plan.Roots.Length];
        var stack = new Stack<T>();
        foreach (LocalShard shard in plan.Shards)
        {
            stack.Push(leafOf(shard));
            for (int i = 0; i < shard.Combines; i++)
            {
                T right = stack.Pop();
                stack.Push(combine(stack.Pop(), right));
            }

            if (shard.Root >= 0)
            {
                roots[shard.Root] = stack.Pop();
            }
        }

        return roots;
    }

    private static float[] Add(float[] left, float[] right) => [.. left.Zip(right, (a, b) => a + b)];

    private async Task StepAsync(long step)
    {
        ShardRange shards = assignment.Workers[index].Shards;
        var plan = new ShardPlan(cluster.Job.Shape.TreeOf(step), shards.First, shards.End);
        MessageHeader header = assignment.HeaderOf(step, index);
        float[][] weights = await PullAsync(step).ConfigureAwait(false);
        Metrics[] metrics = [];
        if (plan.Samples > 0)
        {
            metrics = Reduce(plan, shard => _model.MetricsOf(step, shard, weights), Metrics.Combine);
            await ForwardAndBackwardAsync(plan, header, weights).ConfigureAwait(false);
        }

        var report = new WorkerReport(header, metrics);
        await CallAsync(assignment.Servers.Coordinator, copy => copy.Messenger!.Report(report)).ConfigureAwait(false);
    }

    private async Task<float[][]> PullAsync(long step)
    {
        float[][] weights = [.. _model.Layout.Tensors.Select(tensor => new float[tensor.BlockCount * Parameter.BlockSize])];
        var pulls = new List<Task>();
        foreach (PartitionPlan partition in cluster.Plans)
        {
            foreach (Chunk chunk in partition.Chunks)
            {
                pulls.Add(PullChunkAsync(partition, chunk.Index, step, weights));
            }
        }

        await Task.WhenAll(pulls).ConfigureAwait(false);
        return weights;
    }

    private async Task PullChunkAsync(PartitionPlan partition, int chunk, long step, float[][] weights)
    {
        BlockAnswer answer = await AskBesideAsync(partition, chunk, step).ConfigureAwait(false) ?? await cluster.CallAsync(
            life,
            KeyOf(partition),
            copy => cluster.Pull(copy, assignment.HeaderOf(step, index), chunk),
            reply => reply.Verdict != Verdict.Future).ConfigureAwait(false);
        if (answer.Verdict != Verdict.Accepted)
        {
            await OutOfDateAsync(answer.Verdict == Verdict.Stale ? null : $"pulled version {step}: {answer.Answer.Reason}").ConfigureAwait(false);
        }

        partition.ScatterChunk(chunk, answer.Values!.Span, tensor => weights[tensor]);
    }

    /// <summary>Each other worker has the standbys beside it, and takes from them what they have.</summary>
    private async Task<BlockAnswer?> AskBesideAsync(PartitionPlan partition, int chunk, long step)
    {
        if (index % 2 == 0 || assignment.Servers.StandbyOf(partition.Partition) is not { } standby)
        {
            return null;
        }

        BlockAnswer answer = await cluster.CallAsync(
            life, standby.Key, copy => cluster.Pull(copy, assignment.HeaderOf(step, index), chunk), _ => true).ConfigureAwait(false);
        return answer.Values is null ? default(BlockAnswer?) : answer;
    }

    private async Task ForwardAndBackwardAsync(ShardPlan plan, MessageHeader header, float[][] weights)
    {
        bool sync = cluster.Job.BatchNorm == BatchNormMode.Sync;
        Fault fault = cluster.TakeFault(assignment, index, header.Step);
        var batch = new Moments?[_model.Norms];
        var pending = new List<Task>();
        for (int norm = 0; norm < batch.Length; norm++)
        {
            int n = norm;
            Moments[] roots = Reduce(plan, shard => _model.MomentsOf(header.Step, shard, n, weights), Moments.Combine);
            roots[0].Mean[0] = norm == 0 && fault == Fault.NonFiniteMoments ? double.NaN : roots[0].Mean[0];
            Task<Moments?> total = ReduceAsync(copy => cluster.ReduceMoments(copy, new NormRoots(header, n, true, roots.Length, sync), roots), sync);
            pending.Add(total);
            batch[norm] = sync ? await total.ConfigureAwait(false) : null;
        }

        for (int norm = batch.Length - 1; norm >= 0 && sync; norm--)
        {
            int n = norm;
            BackwardSums[] roots = Reduce(plan, shard => _model.BackwardOf(header.Step, shard, n, batch[n]!), BackwardSums.Combine);
            await ReduceAsync(copy => cluster.ReduceBackwardSums(copy, new NormRoots(header, n, false, roots.Length, true), roots), mustWait: true).ConfigureAwait(false);
        }

        pending.AddRange(Push(plan, header, weights, batch, fault));
        await Task.WhenAll(pending).ConfigureAwait(false);
    }

    private IEnumerable<Task> Push(ShardPlan plan, MessageHeader header, float[][] weights, Moments?[] batch, Fault fault)
    {
        float[][][] gradients = [.. _model.Layout.Tensors.Select((_, tensor) =>
            Reduce(plan, shard => _model.GradientOf(header.Step, shard, tensor, weights[tensor], batch), Add))];
        Spoil(gradients[0][0], fault);
        foreach (PartitionPlan partition in cluster.Plans)
        {
            foreach (Chunk chunk in partition.Chunks.Where(chunk => !chunk.DeliveredByBatchNorm))
            {
                for (int root = 0; root < plan.Roots.Length; root++)
                {
                    int r = root;
                    var key = new GradientRoot(header, chunk.Index, plan.Roots[root]);
                    var payload = new float[chunk.Length];
                    partition.GatherChunk(chunk.Index, tensor => gradients[tensor][r], payload);
                    if (cluster.TakeConflict(header))
                    {
                        // The same key with other bytes, which may arrive before or after the true ones.
                        float[] wrong = [.. payload];
                        FakeModel.FlipBit(wrong);
                        _ = cluster.CallAsync(life, KeyOf(partition), copy => cluster.Push(copy, key, wrong), IsFinal);
                    }

                    var message = new SimulatedEvent.Pushed(index, partition.Partition, header.Step, header.Generation);
                    yield return CallAsync(KeyOf(partition), copy => cluster.Push(copy, key, payload), message);
                }
            }
        }
    }

    private static void Spoil(float[] gradient, Fault fault)
    {
        if (fault == Fault.OtherBits)
        {
            FakeModel.FlipBit(gradient);
        }
        else if (fault == Fault.NonFiniteGradient)
        {
            gradient[0] = float.PositiveInfinity;
        }
    }

    private async Task<T?> ReduceAsync<T>(Func<SimulatedServer, ReduceAnswer<T>> handler, bool mustWait)
        where T : class
    {
        ReduceAnswer<T> reply = await cluster.CallAsync(
            life,
            assignment.Servers.BatchNorm,
            handler,
            silent => new ReduceAnswer<T>(silent, null, false),
            reply => IsFinal(reply.Answer) && (reply.Total is not null || !mustWait || !reply.Answer.IsAcknowledged)).ConfigureAwait(false);
        await CheckAsync(reply.Answer).ConfigureAwait(false);
        return reply.Total;
    }

    private async Task CallAsync(string server, Func<SimulatedServer, Answer> handler, SimulatedEvent? message = null)
    {
        Answer answer = await cluster.CallAsync(life, server, handler, IsFinal, message).ConfigureAwait(false);
        await CheckAsync(answer).ConfigureAwait(false);
    }

    private string KeyOf(PartitionPlan partition) => assignment.Servers.Partitions[partition.Partition];

    private static bool IsFinal(Answer answer) => answer.Verdict != Verdict.Future;

    private Task CheckAsync(Answer answer) => answer.Verdict switch
    {
        Verdict.Accepted or Verdict.Duplicate or Verdict.AlreadyApplied => Task.CompletedTask,
        Verdict.Stale or Verdict.Conflict => OutOfDateAsync(null),
        _ => OutOfDateAsync($"{answer.Verdict}: {answer.Reason}"),
    };

    /// <summary>Ends this life; what waits for the result waits for ever, like a worker that was told to start again.</summary>
    private Task OutOfDateAsync(string? complaint)
    {
        life.End();
        if (complaint is not null)
        {
            cluster.Complain($"{assignment.Workers[index]} in generation {assignment.Generation}: {complaint}");
        }

        return new TaskCompletionSource().Task;
    }
}
