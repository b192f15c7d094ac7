using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain starts, watches and releases the parts of its job.</summary>
internal sealed partial class JobGrain
{
    private ICheckpointGrain CheckpointWriter => GrainFactory.GetGrain<ICheckpointGrain>(Placement.Servers.Checkpoint);

    /// <summary>Places the job and reserves its workers; gives silos that are just joining some time to show what they offer.</summary>
    private async Task<JobPlacement> PlaceAsync(JobLayout layout)
    {
        long start = Environment.TickCount64;
        var busy = new HashSet<string>();
        while (true)
        {
            try
            {
                JobPlacement placement = JobPlacement.Plan(JobId, _job!.DataShards, layout, catalog.Silos(), busy);
                if (await ReserveAsync(placement) is not { } taken)
                {
                    return placement;
                }

                busy.Add(taken);
            }
            catch (ConvNetException e) when (e.ExitCode == ExitCode.Environment && Environment.TickCount64 - start < PlacementPatience.TotalMilliseconds)
            {
                busy.Clear();
                await Task.Delay(WatchPeriod / 4);
            }
        }
    }

    /// <summary>Reserves all workers of a placement or none.</summary>
    /// <returns>Null, or the key of a worker that another job has.</returns>
    private async Task<string?> ReserveAsync(JobPlacement placement)
    {
        var reserved = new List<IWorkerGrain>();
        foreach (string key in placement.Workers.Select(assigned => assigned.Name))
        {
            IWorkerGrain worker = GrainFactory.GetGrain<IWorkerGrain>(key);
            string holder = await worker.ReserveAsync(JobId);
            if (holder != JobId && !await GrainFactory.GetGrain<IJobControlGrain>(holder).IsLiveAsync())
            {
                await worker.ReleaseAsync(holder);
                holder = await worker.ReserveAsync(JobId);
            }

            if (holder != JobId)
            {
                await Task.WhenAll(reserved.Select(other => other.ReleaseAsync(JobId)));
                return key;
            }

            reserved.Add(worker);
        }

        return null;
    }

    /// <returns>The step at which the job goes on.</returns>
    private async Task<long> StartAsync(string? checkpoint)
    {
        JobPosition position = checkpoint is null ? JobPosition.Start : await CheckpointWriter.OpenAsync(checkpoint, _jobJson);
        Assignment assignment = _assignment = Placement.Assign(JobId, _jobJson, Machine.NextGeneration(), position.Step) with
        {
            Start = checkpoint is null ? AssignmentStart.Fresh : AssignmentStart.Restore,
        };
        Answer[] begun = await Task.WhenAll(
        [
            .. assignment.Servers.Partitions.Select(key => GrainFactory.GetGrain<IParameterServerGrain>(key).BeginAsync(assignment)),
            GrainFactory.GetGrain<IBatchNormGrain>(assignment.Servers.BatchNorm).BeginAsync(assignment, position.Updates),
            Coordinator.BeginAsync(assignment, position),
        ]);
        Array.ForEach(begun, answer => GrainCalls.Demand(answer));
        if (checkpoint is not null)
        {
            await CheckpointWriter.RestoreAsync(checkpoint, assignment);
        }

        _progress = await Coordinator.ProgressAsync();
        await Task.WhenAll(assignment.Workers.Select(worker => GrainFactory.GetGrain<IWorkerGrain>(worker.Name).PrepareAsync(assignment)));
        return position.Step;
    }

    private async Task WriteCheckpointAsync(string runFolder, FinalResult? result, CheckpointRetention? retention)
    {
        try
        {
            await SaveAsync(runFolder, result, retention);
            Machine.EndCheckpoint();
            _lastSign = Environment.TickCount64;
        }
        catch (Exception e)
        {
            Fail("checkpoint", GrainFailure.ToFailure(e));
        }
    }

    /// <summary>Writes the version at which the job is at rest.</summary>
    private async Task SaveAsync(string runFolder, FinalResult? result, CheckpointRetention? retention)
    {
        JobPosition position = (await Coordinator.ProgressAsync()).Position;
        if (position.Step != Machine.Step)
        {
            throw new ConvNetException(ExitCode.Bug, $"the step coordinator is at step {position.Step}, but the job is at rest at step {Machine.Step}.");
        }

        _checkpoint = await CheckpointWriter.SaveAsync(runFolder, Assignment, position, result, retention);
        _savedStep = position.Step;
    }

    /// <summary>
    /// Ends a job that nobody gives orders to any more, because its workers are needed elsewhere; what its client has not saved is saved
    /// first. Another run may have taken up the folder by now, so that nothing else in it is touched.
    /// </summary>
    private async Task GiveUpAsync(double silent)
    {
        string outcome = "";
        if (_runFolder is { } folder && Machine.Step > _savedStep)
        {
            Machine.BeginCheckpoint();
            try
            {
                await SaveAsync(folder, null, null);
                outcome = FormattableString.Invariant($"; step {Machine.Step} is saved in {_checkpoint!.Path}");
            }
            catch (Exception e)
            {
                outcome = FormattableString.Invariant($"; step {Machine.Step} could not be saved: {GrainFailure.From(e).Message.TrimEnd('.')}");
            }
        }

        Fail("watch", new JobFailure(
            (int)ExitCode.Environment,
            FormattableString.Invariant($"no order from the job's client for {silent:F0} s at step {Machine.Step}: ") +
            $"it was suspended or is gone, and the job has ended{outcome}."));
    }

    /// <summary>Asks the workers how far they are; whoever does not answer in time keeps the last known status.</summary>
    private async Task RefreshAsync()
    {
        if (State == JobState.Created || Machine.HasEnded)
        {
            return;
        }

        try
        {
            Task<WorkerStatus[]> workers = Task.WhenAll(Placement.Workers.Select(worker => GrainFactory.GetGrain<IWorkerGrain>(worker.Name).StatusAsync()));
            WorkerStatus[] workersSeen = await workers.WaitAsync(StatusPatience);
            if (workersSeen.Sum(worker => worker.EvaluatedSamples) > _workers.Sum(worker => worker.EvaluatedSamples))
            {
                _lastSign = Environment.TickCount64;
            }

            _workers = workersSeen;
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // The watch decides when silence means failure.
        }
    }

    /// <summary>Notices silos that have left and work that has come to a halt: nothing waits for ever.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        double silent = (Environment.TickCount64 - _lastSign) / 1000.0;
        if (State == JobState.Idle && silent > deadlines.Client.TotalSeconds)
        {
            await GiveUpAsync(silent);
            return;
        }

        if (State is not (JobState.Running or JobState.Evaluating or JobState.Checkpointing))
        {
            return;
        }

        HashSet<string> present = [.. catalog.Silos().Select(silo => silo.Name)];
        if (Placement.Silos.FirstOrDefault(silo => !present.Contains(silo)) is { } gone)
        {
            Fail("watch", new JobFailure(
                (int)ExitCode.Environment,
                $"silo '{gone}' has left the cluster while the job was {State} at step {_progress.Position.Step}; " +
                "start it again."));
            return;
        }

        await RefreshAsync();
        silent = (Environment.TickCount64 - _lastSign) / 1000.0;
        if (silent > deadlines.Work.TotalSeconds && State is (JobState.Running or JobState.Evaluating))
        {
            string workers = string.Join(", ", _workers.Select(worker => $"{worker.Name} at step {worker.Step}"));
            Fail("watch", new JobFailure(
                (int)ExitCode.Environment,
                FormattableString.Invariant($"no sign of work for {silent:F0} s while the job was {State}; ") +
                $"step {_progress.Position.Step} waits ({workers}); " +
                "check the silos' logs."));
        }
    }

    private async Task ReleaseAsync()
    {
        _watch?.Dispose();
        _watch = null;
        if (_placement is not { } placement)
        {
            return;
        }

        MessageHeader end = new(JobId, Machine.Generation, Machine.Step);
        IEnumerable<Task> releases =
        [
            .. placement.Workers.Select(worker => GrainFactory.GetGrain<IWorkerGrain>(worker.Name).ReleaseAsync(JobId)),
            .. placement.Servers.Partitions.Select(key => GrainFactory.GetGrain<IParameterServerGrain>(key).ReleaseAsync(end)),
            GrainFactory.GetGrain<IBatchNormGrain>(placement.Servers.BatchNorm).ReleaseAsync(end),
            Coordinator.ReleaseAsync(end),
        ];
        try
        {
            await Task.WhenAll(releases).WaitAsync(StatusPatience * 5);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e) || e is ConvNetException)
        {
            // What is gone needs no release.
        }
    }
}
