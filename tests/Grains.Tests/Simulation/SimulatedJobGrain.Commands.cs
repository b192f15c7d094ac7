using ConvNet.Engine.Errors;
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
                await PinAsync(save).ConfigureAwait(false);
                break;
            case JobCommand.Write write:
                await WriteAsync(write).ConfigureAwait(false);
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
        FrozenAt?[] frozen = await Task.WhenAll(Numbers(servers).Select(
            server => FreezeAsync(header, servers.KeyOf(server), server, asStandby: false))).ConfigureAwait(false);
        FrozenAt?[] standbys = await Task.WhenAll(servers.Standbys.Select((standby, server) => standby is null
            ? Task.FromResult<FrozenAt?>(null)
            : FreezeAsync(header, standby.Key, server, asStandby: true))).ConfigureAwait(false);
        if (frozen.All(server => server is not null))
        {
            FrozenAt[] all = [.. frozen.Select(server => server!.Value)];
            Machine.Frozen(header.Generation, all[^1], all[..^1], standbys);
        }
    }

    /// <returns>Null if its silo is lost.</returns>
    private Task<FrozenAt?> FreezeAsync(MessageHeader header, string key, int server, bool asStandby) => cluster.ReachAsync(
        _life,
        key,
        () => cluster.Freeze(key, server, header, asStandby),
        answer => answer is not null || cluster.IsLost(key),
        new SimulatedEvent.Frozen(server, header.Generation));

    /// <returns>Null if its silo is lost.</returns>
    private Task<Answer?> BeginAsync(Assignment assignment, string key, int server) => cluster.ReachAsync(
        _life,
        key,
        () => cluster.Begin(key, server, assignment),
        answer => answer is { } begun ? SimulatedCluster.IsFinal(begun) : cluster.IsLost(key),
        new SimulatedEvent.Begun(server, assignment.Generation));

    private Task<Answer?> ReleaseAsync(string key, int server, MessageHeader end, bool asStandby) => cluster.ReachAsync(
        _life, key, () => cluster.Release(key, server, end, asStandby), answer => answer is not null || cluster.IsLost(key));

    private static IEnumerable<int> Numbers(ServerKeys servers) => Enumerable.Range(0, servers.CoordinatorServer + 1);

    private async Task StartAsync(Assignment assignment)
    {
        _current = assignment;
        FirstSteps.Add(assignment.FirstStep);
        if (assignment.Start != AssignmentStart.GoOn)
        {
            cluster.TakePlace(assignment);
        }

        ServerKeys servers = assignment.Servers;
        Answer?[] standbys = await Task.WhenAll(servers.Standbys.Select((standby, server) => standby is null
            ? Task.FromResult<Answer?>(Verdict.Accepted)
            : BeginAsync(assignment, standby.Key, server))).ConfigureAwait(false);
        Answer?[] begun = await Task.WhenAll(Numbers(servers).Select(server => BeginAsync(assignment, servers.KeyOf(server), server))).ConfigureAwait(false);
        foreach (Answer refused in begun.Concat(standbys).OfType<Answer>().Where(answer => answer.IsRefused))
        {
            if (refused.Reason!.Contains(SimulatedServer.NoState, StringComparison.Ordinal))
            {
                // It has gone between the freeze and the start.
                Take(() => Machine.FailServer(new JobFailure((int)ExitCode.Environment, refused.Reason), Now));
                return;
            }

            cluster.Complain($"begin of generation {assignment.Generation}: {refused.Reason}");
        }

        if (begun.Contains(null))
        {
            return;
        }

        if (assignment.Start == AssignmentStart.Restore)
        {
            await RestoreAsync(assignment).ConfigureAwait(false);
        }

        await ToWorkersAsync(
            assignment,
            (worker, _) => worker.Prepare(assignment),
            worker => new SimulatedEvent.Prepared(worker, assignment.Generation)).ConfigureAwait(false);
        StepProgress? reached = cluster.Layout.LosesHead
            ? await cluster.CallAsync<StepProgress?>(
                _life,
                servers.Coordinator,
                copy => copy.Messenger!.Progress(),
                _ => null,
                answer => answer is not null || cluster.IsLost(servers.Coordinator)).ConfigureAwait(false)
            : cluster.Find(servers.Coordinator)?.Messenger!.Progress();
        if (reached is not null)
        {
            Machine.Started(assignment.Generation, reached, Now);
        }
    }

    /// <summary>Gives every server its part of the checkpoint, as the grain that reads it does.</summary>
    private async Task RestoreAsync(Assignment assignment)
    {
        MessageHeader header = assignment.HeaderOf(assignment.FirstStep);
        IEnumerable<Task<Answer>> parts = cluster.Plans.SelectMany(plan => plan.Chunks.SelectMany(chunk =>
            Enumerable.Range(StateSlot.Weights, 1 + cluster.Job.Optimizer.SlotNames.Count).Select(slot => cluster.CallAsync(
                _life,
                assignment.Servers.Partitions[plan.Partition],
                copy => cluster.Install(copy, header, slot, chunk),
                SimulatedCluster.IsFinal))));
        IEnumerable<Task<Answer>> statistics = cluster.CheckpointAt(assignment.FirstStep).Statistics.Select((_, norm) => cluster.CallAsync(
            _life, assignment.Servers.BatchNorm, copy => cluster.InstallStatistics(copy, header, norm), SimulatedCluster.IsFinal));
        foreach (Answer answer in await Task.WhenAll([.. parts, .. statistics]).ConfigureAwait(false))
        {
            if (answer.IsRefused)
            {
                cluster.Complain($"restore of generation {assignment.Generation}: {answer.Reason}");
            }
            else if (!answer.IsAcknowledged)
            {
                throw new OperationCanceledException("The generation is over.");
            }
        }
    }

    private async Task RunAsync(JobCommand.Run run)
    {
        Assignment assignment = run.Assignment;
        await cluster.CallAsync(
            _life,
            assignment.Servers.Coordinator,
            copy => copy.Messenger!.NotifyAt(assignment.HeaderOf(run.UntilStep)),
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
    private async Task PinAsync(JobCommand.Save save)
    {
        MessageHeader header = save.Assignment.HeaderOf(save.Position.Step);
        var slots = new List<float[][]>();
        foreach (int slot in Enumerable.Range(-1, 1 + cluster.Job.Optimizer.SlotNames.Count))
        {
            float[][] tensors = [.. cluster.Model.Layout.Tensors.Select(tensor => new float[tensor.Count])];
            await Task.WhenAll(cluster.Plans.SelectMany(plan => plan.Chunks.Select(async chunk =>
            {
                string key = save.Assignment.Servers.Partitions[plan.Partition];
                BlockAnswer read = await ReadAsync(plan.Partition, key, header, copy => cluster.Read(copy, header, slot, chunk.Index)).ConfigureAwait(false);
                FakeState.Scatter(plan, chunk, read.Values!.Span, tensors);
            }))).ConfigureAwait(false);
            slots.Add(tensors);
        }

        BatchNormState[] statistics = await Task.WhenAll(cluster.Model.InitialStatistics().Select(async (norm, index) => FakeState.StatisticsOf(
            norm.Name,
            await ReadAsync(cluster.BatchNormServer, save.Assignment.Servers.BatchNorm, header, copy => cluster.ReadStatistics(copy, header, index))
                .ConfigureAwait(false)))).ConfigureAwait(false);
        var state = new FakeState(slots[StateSlot.Weights + 1], [.. slots.Skip(1)], statistics, save.Position.Updates, save.Position);
        cluster.Invariants.Saved(state);
        Pinned = state;
        Machine.Pinned(Now);
    }

    private async Task<BlockAnswer> ReadAsync(int server, string key, MessageHeader header, Func<SimulatedServer, BlockAnswer> read)
    {
        var message = new SimulatedEvent.Read(server, header.Generation);
        BlockAnswer answer = await cluster.CallAsync(_life, key, read, reply => reply.Verdict != Verdict.Future, message).ConfigureAwait(false);
        return answer.Verdict == Verdict.Accepted ? answer
            : !Machine.IsAt(header.Generation) || this != cluster.Grain || cluster.IsLost(key) ? throw new OperationCanceledException("The generation is over.")
            : throw new InvalidOperationException($"checkpoint of version {header.Step}, server {server}: {answer.Answer}");
    }

    private async Task ReleaseAsync(Assignment assignment)
    {
        (long generation, ServerKeys keys) = (assignment.Generation, assignment.Servers);
        Released.Clear();
        Released.UnionWith(keys.All);
        MessageHeader end = new("job", generation, Machine.Step);
        IEnumerable<Task> workers = _held.Keys.ToList().Select(name => (Task)ToWorkerAsync(name, worker => worker.Release(end)));
        IEnumerable<Task> servers = Numbers(keys).Select(server => (Task)ReleaseAsync(keys.KeyOf(server), server, end, asStandby: false));
        IEnumerable<Task> standbys = Numbers(keys).Where(server => keys.StandbyOf(server) is not null)
            .Select(server => (Task)ReleaseAsync(keys.StandbyOf(server)!.Key, server, end, asStandby: true));
        await Task.WhenAll([.. workers, .. servers, .. standbys]).ConfigureAwait(false);
        cluster.EndServers(generation);
        Machine.Released();
        if (Machine.HasEnded)
        {
            await KeepAsync().ConfigureAwait(false);
            if (!IsLost)
            {
                _life.End();
                _clients.End();
            }
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
            worker.Host,
            () => worker.IsDead ? null : call(worker),
            reply => reply is { } answer ? SimulatedCluster.IsFinal(answer) : worker.IsKnownDead,
            message);
    }
}
