using ConvNet.Engine.Layers;
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
                await FreezeAsync(freeze.Header).ConfigureAwait(false);
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
                await ReleaseAsync(release.Assignment.Generation).ConfigureAwait(false);
                break;
        }

        CarryOut();
    }

    private async Task FreezeAsync(MessageHeader header)
    {
        FrozenAt[] frozen = await Task.WhenAll(Enumerable.Range(0, cluster.CoordinatorServer + 1).Select(server => cluster.Network.CallAsync(
            _life, cluster.HostOf(server), () => cluster.Freeze(server, header), _ => true, new SimulatedEvent.Frozen(server, header.Generation)))).ConfigureAwait(false);
        Machine.Frozen(header.Generation, frozen[^1], frozen[..^1]);
    }

    private async Task StartAsync(Assignment assignment)
    {
        _current = assignment;
        FirstSteps.Add(assignment.FirstStep);
        Answer[] begun = await Task.WhenAll(Enumerable.Range(0, cluster.CoordinatorServer + 1).Select(server => cluster.Network.CallAsync(
            _life,
            cluster.HostOf(server),
            () => cluster.Begin(server, assignment),
            SimulatedCluster.IsFinal,
            new SimulatedEvent.Begun(server, assignment.Generation)))).ConfigureAwait(false);
        foreach (Answer refused in begun.Where(answer => answer.IsRefused))
        {
            cluster.Complain($"begin of generation {assignment.Generation}: {refused.Reason}");
        }

        if (assignment.Start == AssignmentStart.Restore)
        {
            await RestoreAsync(assignment).ConfigureAwait(false);
        }

        await ToWorkersAsync(
            assignment,
            (worker, _) => worker.Prepare(assignment),
            worker => new SimulatedEvent.Prepared(worker, assignment.Generation)).ConfigureAwait(false);
        StepProgress reached = cluster.Layout.LosesHead
            ? await cluster.Network.CallAsync(_life, cluster.HostOf(cluster.CoordinatorServer), () => cluster.Coordinator.Progress(), _ => true).ConfigureAwait(false)
            : cluster.Coordinator.Progress();
        Machine.Started(assignment.Generation, reached, Now);
    }

    /// <summary>Gives every server its part of the checkpoint, as the grain that reads it does.</summary>
    private async Task RestoreAsync(Assignment assignment)
    {
        MessageHeader header = assignment.HeaderOf(assignment.FirstStep);
        IEnumerable<Task<Answer>> parts = cluster.Partitions.SelectMany(partition => partition.Plan.Chunks.SelectMany(chunk =>
            Enumerable.Range(StateSlot.Weights, 1 + cluster.Job.Optimizer.SlotNames.Count).Select(slot => cluster.Network.CallAsync(
                _life,
                cluster.HostOf(partition.Plan.Partition),
                () => cluster.Install(partition, header, slot, chunk),
                SimulatedCluster.IsFinal))));
        IEnumerable<Task<Answer>> statistics = cluster.Restored.Statistics.Select((_, norm) => cluster.Network.CallAsync(
            _life, cluster.HostOf(cluster.BatchNormServer), () => cluster.InstallStatistics(header, norm), SimulatedCluster.IsFinal));
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
        await cluster.Network.CallAsync(
            _life, cluster.HostOf(cluster.CoordinatorServer), () => cluster.Coordinator.NotifyAt(assignment.HeaderOf(run.UntilStep)), SimulatedCluster.IsFinal).ConfigureAwait(false);
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
            await Task.WhenAll(cluster.Partitions.SelectMany(partition => partition.Plan.Chunks.Select(async chunk =>
            {
                BlockAnswer read = await ReadAsync(partition.Plan.Partition, header, () => cluster.Read(partition, header, slot, chunk.Index)).ConfigureAwait(false);
                FakeState.Scatter(partition.Plan, chunk, read.Values!.Span, tensors);
            }))).ConfigureAwait(false);
            slots.Add(tensors);
        }

        BatchNormState[] statistics = await Task.WhenAll(cluster.Model.InitialStatistics().Select(async (norm, index) => FakeState.StatisticsOf(
            norm.Name,
            await ReadAsync(cluster.BatchNormServer, header, () => cluster.ReadStatistics(header, index)).ConfigureAwait(false)))).ConfigureAwait(false);
        var state = new FakeState(slots[StateSlot.Weights + 1], [.. slots.Skip(1)], statistics, save.Position.Updates, save.Position);
        cluster.Invariants.Saved(state);
        Pinned = state;
        Machine.Pinned(Now);
    }

    private async Task<BlockAnswer> ReadAsync(int server, MessageHeader header, Func<BlockAnswer> read)
    {
        var message = new SimulatedEvent.Read(server, header.Generation);
        BlockAnswer answer = await cluster.Network.CallAsync(_life, cluster.HostOf(server), read, reply => reply.Verdict != Verdict.Future, message).ConfigureAwait(false);
        return answer.Verdict == Verdict.Accepted ? answer
            : !Machine.IsAt(header.Generation) || this != cluster.Grain ? throw new OperationCanceledException("The generation is over.")
            : throw new InvalidOperationException($"checkpoint of version {header.Step}, server {server}: {answer.Answer}");
    }

    private async Task ReleaseAsync(long generation)
    {
        MessageHeader end = new("job", generation, Machine.Step);
        IEnumerable<Task> workers = _held.Keys.ToList().Select(name => (Task)ToWorkerAsync(name, worker => worker.Release(end)));
        IEnumerable<Task> servers = Enumerable.Range(0, cluster.CoordinatorServer + 1)
            .Select(server => (Task)cluster.Network.CallAsync(_life, cluster.HostOf(server), () => cluster.Release(server, end), _ => true));
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
            worker.Host,
            () => worker.IsDead ? null : call(worker),
            reply => reply is { } answer ? SimulatedCluster.IsFinal(answer) : worker.IsKnownDead,
            message);
    }
}
