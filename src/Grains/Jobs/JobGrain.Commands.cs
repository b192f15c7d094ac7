using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain does what its machine commands.</summary>
internal sealed partial class JobGrain
{
    /// <summary>With calls that do not arrive: by then it is known which silos have died.</summary>
    private const double RefusedSeconds = 10;


    /// <summary>The last one that was to be carried out.</summary>
    private JobCommand.Write? _write;

    private ICheckpointGrain CheckpointWriter(Assignment assignment) => GrainFactory.GetGrain<ICheckpointGrain>(assignment.Servers.Checkpoint);

    private IStepCoordinatorGrain Coordinator(Assignment assignment) => GrainFactory.GetGrain<IStepCoordinatorGrain>(assignment.Servers.Coordinator);

    private IWorkerGrain Worker(string key) => GrainFactory.GetGrain<IWorkerGrain>(key);

    /// <summary>Does what the machine wants done by now; what follows from it is done when it is through.</summary>
    private void CarryOut()
    {
        foreach (JobCommand command in Machine.TakeCommands())
        {
            CarryOutAsync(command).Ignore();
        }

        if (!IsKept(Machine) && _keeping is not { IsCompleted: false })
        {
            // Who waits for a write already writes what is newer, too.
            KeepAsync().Ignore();
        }

        LetGoIfHeld();
    }

    private async Task CarryOutAsync(JobCommand command)
    {
        try
        {
            if (NeedsRecord(command))
            {
                await KeepAsync();
                if (IsOvertaken(command, Machine))
                {
                    return;
                }
            }

            switch (command)
            {
                case JobCommand.Freeze freeze:
                    await FreezeAsync(freeze.Header, freeze.Servers);
                    break;
                case JobCommand.Start start:
                    await StartAsync(start.Assignment);
                    break;
                case JobCommand.Run run:
                    await RunAsync(run);
                    break;
                case JobCommand.Evaluate evaluate:
                    await EvaluateAsync(evaluate);
                    break;
                case JobCommand.Save save:
                    await PinAsync(save);
                    if (Machine.IsAt(save.Generation))
                    {
                        Machine.Pinned(_clock.Now);
                    }

                    break;
                case JobCommand.Write write:
                    await WriteAsync(write);
                    break;
                case JobCommand.Dismiss dismiss:
                    await DismissAsync(dismiss.Worker, dismiss.Header);
                    break;
                case JobCommand.Release release:
                    try
                    {
                        await ReleaseAsync(release.Assignment);
                    }
                    finally
                    {
                        Machine.Released();
                    }

                    break;
            }
        }
        catch (Exception) when (_machine is null)
        {
            // Another silo leads the job now.
            return;
        }
        catch (Exception) when (!Machine.IsAt(command.Generation))
        {
            // Overtaken by a change of generation, which does all of it again, or of no use as the job has given its place up.
        }
        catch (Exception e)
        {
            await FailAsync(command.Generation, command.GetType().Name, GrainFailure.ToFailure(e));
        }

        CarryOut();
    }

    /// <summary>
    /// What begins or ends a generation is in the store before it is done, so that no two grains ever use the same one. What a generation does for which
    /// that is so does not wait for the store.
    /// </summary>
    internal static bool NeedsRecord(JobCommand command) => command switch
    {
        JobCommand.Run run => run.FirstStep == run.Assignment.FirstStep,
        JobCommand.Evaluate or JobCommand.Save or JobCommand.Write => false,
        _ => true,
    };

    /// <summary>Its generation is over before it was used.</summary>
    internal static bool IsOvertaken(JobCommand command, JobMachine machine) =>
        command is not (JobCommand.Dismiss or JobCommand.Release) && !machine.IsAt(command.Generation);

    private async Task StartAsync(Assignment assignment)
    {
        JobPosition position = Machine.Reached.Position;
        await Task.WhenAll(Numbers(assignment.Servers).Select(server => BeginStandbyAsync(assignment, position, server)));
        await Task.WhenAll(Numbers(assignment.Servers).Select(server => GrainCalls.DeliverAsync(
            () => BeginAsync(assignment, position, server, assignment.Servers.KeyOf(server)),
            () => $"start of {ServerRoles.NameOf(assignment.Servers, server)}")));
        if (assignment.Start == AssignmentStart.Restore)
        {
            await CheckpointWriter(assignment).RestoreAsync(CheckpointPath!, assignment);
        }

        await ToWorkersAsync(assignment, worker => Worker(worker.Name).PrepareAsync(assignment), "start");
        LogGeneration(logger, JobId, assignment.Generation, assignment.FirstStep, string.Join(", ", assignment.Workers.Select(worker => worker.Name)));
        JobMeter.CountGeneration();
        StepProgress? reached = assignment.Start == AssignmentStart.GoOn
            ? await GrainCalls.CallAsync(Coordinator(assignment).ProgressAsync, () => "progress of the step coordinator")
            : null;
        Machine.Started(assignment.Generation, reached, _clock.Now);

        // What has brought the new generation may have kept the client away, too.
        _clientSeen = _clock.Now;
    }

    private async Task RunAsync(JobCommand.Run run)
    {
        Assignment assignment = run.Assignment;
        await GrainCalls.DeliverAsync(() => Coordinator(assignment).NotifyAtAsync(assignment.HeaderOf(run.UntilStep)), () => "order to the step coordinator");
        await ToWorkersAsync(
            assignment, worker => Worker(worker.Name).RunAsync(assignment.HeaderOf(run.FirstStep), run.Order, run.UntilStep), "order");
    }

    /// <summary>Orleans may look for a grain that is not active yet by way of a silo that has just died; such a call is made again.</summary>
    private async Task PinAsync(JobCommand.Save save)
    {
        for (double start = _clock.Now; ; await Task.Delay(WatchPeriod))
        {
            try
            {
                await CheckpointWriter(save.Assignment).PinAsync(save.Assignment, save.Position, save.Result);
                return;
            }
            catch (Exception e) when (GrainFailure.HasNotArrived(e) && _clock.Now - start < RefusedSeconds && Machine.IsAt(save.Generation))
            {
                // It has not begun.
            }
        }
    }

    /// <summary>Generations may change meanwhile: what is written stays the same.</summary>
    private async Task WriteAsync(JobCommand.Write write)
    {
        JobMachine machine = Machine;
        _write = write;
        try
        {
            CheckpointPlace place = await PlaceToSaveAsync(write.Assignment.Servers.Checkpoint);
            CheckpointRetention? retention = place.IsCache ? CheckpointRetention.OfCache : write.Retention;
            CheckpointResult saved = await CheckpointWriter(write.Assignment).WriteAsync(place.Folder, write.Step, retention);
            if (_write != write)
            {
                return;
            }

            if (_checkpoints != place)
            {
                _checkpoints = place;
                NoteChange();
            }

            _savedAt = Stopwatch.GetTimestamp();
            machine.Saved(saved, _clock.Now);
        }
        catch (Exception) when (_write != write || !machine.IsWriting(write.Step))
        {
            // The job has gone back, or has ended, and wants it no more; or another one has the same version again.
        }
        catch (Exception e)
        {
            JobFailure failure = GrainFailure.ToFailure(e);
            switch ((ExitCode)failure.ExitCode)
            {
                case ExitCode.Resources:
                    machine.NotSaved(write.Step, failure.Message, _clock.Now);
                    break;
                case ExitCode.Environment or ExitCode.Conflict:
                    machine.LoseWrite(write.Step, failure.Message, _clock.Now);
                    break;
                default:
                    await FailAsync(machine.Generation, nameof(JobCommand.Write), failure);
                    break;
            }
        }
    }

    private Task EvaluateAsync(JobCommand.Evaluate evaluate)
    {
        Assignment assignment = evaluate.Assignment;
        return ToWorkersAsync(
            assignment,
            worker =>
            {
                (int first, int end) = evaluate.Evaluation.BlocksOf(Array.IndexOf(assignment.Workers, worker));
                return first < end
                    ? Worker(worker.Name).EvaluateAsync(assignment.HeaderOf(evaluate.Evaluation.Version), evaluate.Order, first, end)
                    : Task.FromResult<Answer>(Verdict.Accepted);
            },
            "order");
    }

    /// <summary>Calls every worker of a generation; one that cannot be reached any more is lost.</summary>
    private Task ToWorkersAsync(Assignment assignment, Func<AssignedWorker, Task<Answer>> call, string what) =>
        Task.WhenAll(assignment.Workers.Select(async worker =>
        {
            try
            {
                await GrainCalls.DeliverAsync(() => call(worker), () => $"{what} to {worker}");
            }
            catch (Exception e) when (
                assignment.Generation == Machine.Generation && GrainFailure.From(e).ExitCode is ExitCode.Environment or ExitCode.Conflict)
            {
                string why = GrainFailure.IsLostContact(e) ? GrainFailure.Contact(e) : e.Message.TrimEnd('.');
                Machine.Lose(worker.Name, $"cannot be reached ({why})", _clock.Now);
            }
        }));

    /// <param name="header">Of the generation from which on nothing is expected of the worker; 0: it has none yet.</param>
    private async Task DismissAsync(string worker, MessageHeader header)
    {
        if (_held.Remove(worker))
        {
            NoteChange();
        }

        if (IsGone(PinnedKey.SiloOf(worker)))
        {
            // The call might reach a silo that was started again under the same name, and end what the job reserves there.
            return;
        }

        Shun(worker, DismissedPause);
        try
        {
            await Worker(worker).ReleaseAsync(header);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // It is gone, or will find out by itself that its generation is over.
        }
    }

    private async Task ReleaseAsync(Assignment assignment)
    {
        MessageHeader end = new(JobId, assignment.Generation, Machine.Step);
        Task[] releases =
        [
            .. _held.Select(worker => Worker(worker).ReleaseAsync(end)),
            .. Numbers(assignment.Servers).Select(server => ReleaseAsync(assignment.Servers, server, assignment.Servers.KeyOf(server), end)),
            .. Numbers(assignment.Servers).Select(server => assignment.Servers.StandbyOf(server) is { } standby
                ? ReleaseAsync(assignment.Servers, server, standby.Key, end)
                : Task.CompletedTask),
        ];
        ForgetHeld();
        _silos.Clear();
        try
        {
            await Task.WhenAll(releases);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e) || e is ConvNetException)
        {
            // What is gone needs no release.
        }
    }

    /// <summary>
    /// Ends the job as failed. What one part met may only follow from a silo that is gone, and then that is what to tell; what only one worker
    /// met of its surroundings costs the job that worker.
    /// </summary>
    /// <param name="generation">In which it was met: when another one has begun meanwhile, it does not matter any more.</param>
    /// <param name="who">The part of the job that met it, for the log.</param>
    /// <param name="worker">The key of the worker that met it, or null.</param>
    private async Task FailAsync(long generation, string who, JobFailure failure, string? worker = null)
    {
        double start = _clock.Now;
        while (failure.ExitCode == (int)ExitCode.Environment && LostSilo() is null && _clock.Now - start < DetectionSeconds && Machine.IsAt(generation))
        {
            await Task.Delay(WatchPeriod);
        }

        if (Machine.HasEnded || Machine.Assignment is null || (!Machine.IsAt(generation) && LostSilo() is null))
        {
            return;
        }

        if (LeaveLostServers())
        {
            CarryOut();
            return;
        }

        if (worker is not null && (ExitCode)failure.ExitCode is ExitCode.Environment or ExitCode.Resources)
        {
            Machine.Lose(worker, $"has given up ({failure.Message.TrimEnd('.')})", _clock.Now);
        }
        else if (worker is null && (failure.ExitCode == (int)ExitCode.Environment || failure.IsContradiction))
        {
            LogServer(logger, JobId, who, failure.Message);
            Machine.FailServer(failure, _clock.Now);
        }
        else if (worker is not null && failure.IsContradiction)
        {
            Machine.ExpelContradicting(worker, failure.Message, _clock.Now);
        }
        else
        {
            LogFailed(logger, JobId, failure.ExitCode, who, failure.Message, failure.Details);
            Machine.Fail(failure);
        }

        CarryOut();
    }
}
