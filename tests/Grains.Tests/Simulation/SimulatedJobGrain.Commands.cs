using ConvNet.Engine.Layers;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the simulated job grain does what its machine commands.</summary>
internal sealed partial class SimulatedJobGrain
{
    private void CarryOut()
    {
        foreach (JobCommand command in Machine.TakeCommands())
        {
            cluster.Watch(CarryOutAsync(command));
        }

        if (_keptRevision < Machine.Revision)
        {
            cluster.Watch(KeepAsync());
        }
    }

    private async Task CarryOutAsync(JobCommand command)
    {
        if (JobGrain.NeedsRecord(command))
        {
            await KeepAsync().ConfigureAwait(false);
            if (IsLost || JobGrain.IsOvertaken(command, Machine))
            {
                return;
            }
        }

        cluster.Invariants.Commanded(command, Machine, leads: this == cluster.Grain);

        switch (command)
        {
            case JobCommand.Freeze freeze:
                await FreezeAsync(freeze.Header, freeze.Servers).ConfigureAwait(false);
                break;
            case JobCommand.Start start:
                await StartAsync(start.Assignment).ConfigureAwait(false);
                break;
            case JobCommand.Run run:
                await RunAsync(run).ConfigureAwait(false);
                break;
            case JobCommand.Evaluate evaluate:
                await EvaluateAsync(evaluate).ConfigureAwait(false);
                break;
            case JobCommand.Save save:
                await SaveAsync(save).ConfigureAwait(false);
                break;
            case JobCommand.Dismiss dismiss:
                await ToWorkerAsync(dismiss.Worker, worker => worker.Release(dismiss.Header)).ConfigureAwait(false);
                break;
            case JobCommand.Release release:
                await ReleaseAsync(release.Assignment).ConfigureAwait(false);
                break;
        }

        CarryOut();
    }

    private async Task FreezeAsync(MessageHeader header, ServerKeys servers)
    {
        FrozenAt?[] frozen = await Task.WhenAll(Numbers(servers).Select(server => FreezeAsync(header, servers.KeyOf(server), server))).ConfigureAwait(false);
        FrozenAt?[] standbys = await Task.WhenAll(servers.Standbys.Select((standby, server) => standby is null
            ? Task.FromResult<FrozenAt?>(null)
            : FreezeAsync(header, standby.Key, server))).ConfigureAwait(false);
        if (frozen.All(server => server is not null))
        {
            FrozenAt[] all = [.. frozen.Select(server => server!.Value)];
            Machine.Frozen(header.Generation, all[^1], all[..^1], standbys);
        }
    }

    /// <returns>Null if its silo is lost.</returns>
    private Task<FrozenAt?> FreezeAsync(MessageHeader header, string key, int server) => cluster.Network.CallAsync(
        _life,
        () => cluster.Freeze(key, server, header),
        answer => answer is not null || cluster.IsLost(key),
        new SimulatedEvent.Frozen(server, header.Generation));

    /// <returns>Null if its silo is lost.</returns>
    private Task<Answer?> BeginAsync(Assignment assignment, string key, int server) => cluster.Network.CallAsync(
        _life,
        () => cluster.Begin(key, server, assignment),
        answer => answer is { } begun ? SimulatedCluster.IsFinal(begun) : cluster.IsLost(key),
        new SimulatedEvent.Begun(server, assignment.Generation));

    private static IEnumerable<int> Numbers(ServerKeys servers) => Enumerable.Range(0, servers.CoordinatorServer + 1);

    private async Task StartAsync(Assignment assignment)
    {
        _current = assignment;
        FirstSteps.Add(assignment.FirstStep);
        ServerKeys servers = assignment.Servers;
        Answer?[] standbys = await Task.WhenAll(servers.Standbys.Select((standby, server) => standby is null
            ? Task.FromResult<Answer?>(Verdict.Accepted)
            : BeginAsync(assignment, standby.Key, server))).ConfigureAwait(false);
        Answer?[] begun = await Task.WhenAll(Numbers(servers).Select(server => BeginAsync(assignment, servers.KeyOf(server), server))).ConfigureAwait(false);
        foreach (Answer refused in begun.Concat(standbys).OfType<Answer>().Where(answer => answer.IsRefused))
        {
            cluster.Complain($"begin of generation {assignment.Generation}: {refused.Reason}");
        }

        if (begun.Contains(null))
        {
            return;
        }

        await ToWorkersAsync(
            assignment,
            (worker, _) => worker.Prepare(assignment),
            worker => new SimulatedEvent.Prepared(worker, assignment.Generation)).ConfigureAwait(false);
        StepProgress? reached = cluster.Layout.LosesHead || cluster.Layout.LosesSilos
            ? await cluster.Network.CallAsync(
                _life,
                () => cluster.Find(servers.Coordinator)?.Host!.Progress(),
                answer => answer is not null || cluster.IsLost(servers.Coordinator)).ConfigureAwait(false)
            : cluster.Find(servers.Coordinator)!.Host!.Progress();
        if (reached is not null)
        {
            Machine.Started(assignment.Generation, reached, Now);
        }
    }

    private async Task RunAsync(JobCommand.Run run)
    {
        Assignment assignment = run.Assignment;
        await cluster.Network.CallAsync(
            _life,
            () => cluster.Tell(assignment.Servers.Coordinator, copy => copy.Host!.NotifyAt(assignment.HeaderOf(run.UntilStep))),
            SimulatedCluster.IsFinal).ConfigureAwait(false);
        await ToWorkersAsync(
            assignment,
            (worker, _) => worker.Run(assignment.HeaderOf(run.FirstStep), run.Order, run.UntilStep),
            worker => new SimulatedEvent.Ordered(worker, run.UntilStep, assignment.Generation)).ConfigureAwait(false);
    }

    private Task EvaluateAsync(JobCommand.Evaluate evaluate)
    {
        Assignment assignment = evaluate.Assignment;
        return ToWorkersAsync(
            assignment,
            (worker, index) =>
            {
                (int first, int end) = evaluate.Evaluation.BlocksOf(index);
                return first < end
                    ? worker.Evaluate(assignment.HeaderOf(evaluate.Evaluation.Version), evaluate.Order, first, end)
                    : Verdict.Accepted;
            },
            worker => new SimulatedEvent.Ordered(worker, -1, assignment.Generation));
    }

    /// <summary>Reads the version of the job's position from every server, whole or not at all.</summary>
    private async Task SaveAsync(JobCommand.Save save)
    {
        MessageHeader header = save.Assignment.HeaderOf(save.Position.Step);
        var slots = new List<float[][]>();
        foreach (int slot in Enumerable.Range(-1, 1 + cluster.Job.Optimizer.SlotNames.Count))
        {
            float[][] tensors = [.. cluster.Model.Layout.Tensors.Select(tensor => new float[tensor.Count])];
            await Task.WhenAll(cluster.Plans.SelectMany(plan => plan.Chunks.Select(async chunk =>
            {
                string key = save.Assignment.Servers.Partitions[plan.Partition];
                BlockAnswer read = await ReadAsync(plan.Partition, key, header, copy => copy.Partition!.Read(header, slot, chunk.Index)).ConfigureAwait(false);
                FakeState.Scatter(plan, chunk, read.Values!.Span, tensors);
            }))).ConfigureAwait(false);
            slots.Add(tensors);
        }

        BatchNormState[] statistics = await Task.WhenAll(cluster.Model.InitialStatistics().Select(async (norm, index) => FakeState.StatisticsOf(
            norm.Name,
            await ReadAsync(cluster.BatchNormServer, save.Assignment.Servers.BatchNorm, header, copy => copy.BatchNorm!.Read(header, index))
                .ConfigureAwait(false)))).ConfigureAwait(false);
        var state = new FakeState(slots[StateSlot.Weights + 1], [.. slots.Skip(1)], statistics, save.Position.Updates, save.Position);
        cluster.Invariants.Saved(state);
        Checkpoints.Add(state);
        Machine.Saved(new CheckpointResult("", state.Position.Step, state.Hash(), ""), Now);
    }

    private async Task<BlockAnswer> ReadAsync(int server, string key, MessageHeader header, Func<SimulatedServer, BlockAnswer> read)
    {
        var message = new SimulatedEvent.Read(server, header.Generation);
        BlockAnswer answer = await cluster.Network.CallAsync(_life, () => cluster.Read(key, read), reply => reply.Verdict != Verdict.Future, message).ConfigureAwait(false);
        return answer.Verdict == Verdict.Accepted ? answer
            : !Machine.IsAt(header.Generation) || this != cluster.Grain || cluster.IsLost(key) ? throw new OperationCanceledException("The generation is over.")
            : throw new InvalidOperationException($"checkpoint of version {header.Step}, server {server}: {answer.Answer}");
    }

    private async Task ReleaseAsync(Assignment assignment)
    {
        long generation = assignment.Generation;
        Released.Clear();
        Released.UnionWith(assignment.Servers.All);
        MessageHeader end = new("job", generation, Machine.Step);
        IEnumerable<Task> workers = _held.Keys.ToList().Select(name => (Task)ToWorkerAsync(name, worker => worker.Release(end)));
        ServerKeys keys = assignment.Servers;
        IEnumerable<Task> servers = Numbers(keys).Select(server => (keys.KeyOf(server), server))
            .Concat(Numbers(keys).Where(server => keys.StandbyOf(server) is not null).Select(server => (keys.StandbyOf(server)!.Key, server)))
            .Select(copy => (Task)cluster.Network.CallAsync(
                _life, () => cluster.Release(copy.Item1, copy.server, end), answer => answer is not null || cluster.IsLost(copy.Item1)));
        await Task.WhenAll([.. workers, .. servers]).ConfigureAwait(false);
        cluster.EndServers(generation);
        Machine.Released();
        if (Machine.HasEnded)
        {
            await KeepAsync().ConfigureAwait(false);
            _life.End();
            _clients.End();
        }
    }

    /// <summary>Calls every worker of a generation; one that cannot be reached any more is lost.</summary>
    private Task ToWorkersAsync(Assignment assignment, Func<SimulatedWorker, int, Answer> call, Func<string, SimulatedEvent> message) =>
        Task.WhenAll(assignment.Workers.Select(async (worker, index) =>
        {
            Answer? answer = await ToWorkerAsync(worker.Name, held => call(held, index), message(worker.Name)).ConfigureAwait(false);
            if (answer is null or { Verdict: Verdict.Conflict })
            {
                LoseAt(assignment.Generation, worker.Name);
            }
            else if (answer is { IsRefused: true } refused)
            {
                cluster.Complain($"order to {worker}: {refused.Reason}");
            }
        }));

    private void LoseAt(long generation, string worker)
    {
        if (generation == Machine.Generation)
        {
            Lose(worker, "cannot be reached");
        }
    }

    /// <returns>Null if the worker is gone.</returns>
    private Task<Answer?> ToWorkerAsync(string name, Func<SimulatedWorker, Answer> call, SimulatedEvent? message = null)
    {
        SimulatedWorker worker = _held[name];
        return cluster.Network.CallAsync<Answer?>(
            _life,
            () => worker.IsDead ? null : call(worker),
            reply => reply is { } answer ? SimulatedCluster.IsFinal(answer) : worker.IsKnownDead,
            message);
    }
}
