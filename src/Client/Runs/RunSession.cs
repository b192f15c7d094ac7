using ConvNet.Silo.Clustering;
using ConvNet.Client.Cluster;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Processes;
using Serilog.Core;

namespace ConvNet.Client.Runs;

/// <summary>One use of a run folder, by train or by resume: opens its files and the cluster, runs the job, reports how it ended.</summary>
/// <param name="folder">Held by the caller.</param>
internal sealed class RunSession(RunFolder folder, RunRequest request)
{
    private readonly JobStart _start = new(folder);

    /// <param name="sinks">Take the events besides the files of the folder; disposed of at the end.</param>
    /// <returns>The exit code; errors have been reported.</returns>
    public async Task<int> RunAsync(IReadOnlyList<RunSink> sinks)
    {
        ExitCode code = await RunInFolderAsync(sinks);
        if (!_start.IsSeen && code != ExitCode.Bug)
        {
            folder.DeleteUnlessTrained();
        }

        return (int)code;
    }

    private async Task<ExitCode> RunInFolderAsync(IReadOnlyList<RunSink> sinks)
    {
        Logger log = RunLog.Open(folder.LogPath);
        try
        {
            return await RunInFolderAsync(sinks, log);
        }
        finally
        {
            RunLog.Close(log);
        }
    }

    private async Task<ExitCode> RunInFolderAsync(IReadOnlyList<RunSink> sinks, Logger log)
    {
        using var run = new RunStream([JsonLines.Append(folder.EventsPath, request.JobId), _start, .. sinks]);
        using var stop = new StopSignal(notice => run.Publish(new RunEvent.Notice(notice)), code => run.Publish(new RunEvent.Abandoned(code)));
        ExitCode code = await RunAsync(run, stop, log);
        try
        {
            run.Dispose();
        }
        catch (Exception e) when (FileFailure.Is(e) && code != ExitCode.Ok)
        {
            log.Error(e, "The files of the run could not be closed");
        }

        return code;
    }

    private async Task<ExitCode> RunAsync(RunStream run, StopSignal stop, Logger log)
    {
        try
        {
            var passedOver = new List<string>();
            IReadOnlyList<ComputeDevice> devices = request.Cluster is null ? request.Device.Open(passedOver.Add) : [];
            run.Publish(new RunEvent.Started(folder.FullPath, ConfigurationJson.Write(request.Configuration), [.. Introduction(devices)]));
            passedOver.ForEach(warning => run.Publish(new RunEvent.Warning(warning)));
            Warn(run);
            EvaluationResult[] evaluations = MetricsFile.EvaluationsUntil(folder.MetricsPath, request.StartStep);
            run.Add(new MetricsFile(folder.MetricsPath, request.StartStep));
            await using ClusterConnection cluster = request.Cluster is null
                ? await LocalCluster.StartAsync((int)request.Configuration.Layout.Silos, request.Workers, request.Threads, devices, log)
                : await ClusterConnection.ConnectAsync(request.Cluster, log);
            log.Information("Job {Job}: {Spec}", request.JobId, request.Spec.ToJson());
            using FolderProbe? probe = request.Cluster is null ? null : FolderProbe.Leave(folder.FullPath);
            var training = new TrainingRun(cluster.Job(request.JobId), request, run, stop, TimeProvider.System)
            {
                Stores = request.Cluster is null ? null : key => cluster.Grains.GetGrain<ICheckpointStoreGrain>(key),
                Probe = probe,
                Witness = cluster.Witness,
            };
            return await RunAsync(training, TrainingRun.Compose(request, evaluations), run, stop, log);
        }
        catch (Exception e)
        {
            return Report(e, run, log);
        }
    }

    /// <summary>What ended the run is told first; then the job, which may hold workers of a cluster that lives on, is let go.</summary>
    private async Task<ExitCode> RunAsync(TrainingRun training, JobSubmission submission, RunStream run, StopSignal stop, Logger log)
    {
        try
        {
            RunEvent end = await training.RunAsync(submission);
            if (end is RunEvent.Failed failed)
            {
                string orphaned = OrphanedJob.Remedy(training.Latest);
                run.Publish(failed with { Error = failed.Error + (orphaned.Length > 0 ? orphaned : Remedy(failed.ExitCode)) });
                return failed.ExitCode;
            }

            run.Publish(end);
            return end is RunEvent.Stopped && stop.Requested is { } signal ? signal : ExitCode.Ok;
        }
        catch (Exception e)
        {
            ExitCode code = Report(e, run, log);
            await training.AbandonAsync();
            return code;
        }
    }

    private ExitCode Report(Exception failure, RunStream run, Logger log)
    {
        log.Error(failure, "The run failed");
        (ExitCode code, string message) = Failures.Explain(failure);
        try
        {
            run.Publish(new RunEvent.Failed(code, message + Remedy(code)));
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            // On a full disk a file is no place to say so; the other sinks have.
            log.Error(e, "The end of the run could not be written");
        }

        return code;
    }

    /// <summary>
    /// What to do after a failure of the environment, which is known only here: whether there is a checkpoint to go on from. What the job
    /// itself did wrong, it would do again.
    /// </summary>
    private string Remedy(ExitCode code)
    {
        if (code is not (ExitCode.Environment or ExitCode.Resources) || !_start.IsSeen)
        {
            return "";
        }

        string where = request.Cluster is null ? "" : $" {request.Cluster.Arguments}";
        return CheckpointStore.FindNewest(folder.FullPath, _ => { }) is { } newest
            ? $" Go on from {Path.GetFileName(newest)} with 'convnet resume {ShellWord.Quote(folder.FullPath)}{where}'."
            : " There is no checkpoint yet: start the run again.";
    }

    private void Warn(RunStream run)
    {
        if (request.Cluster is null && request.Workers * request.Threads > Environment.ProcessorCount)
        {
            run.Publish(new RunEvent.Warning(
                $"{request.Workers} workers x {request.Threads} threads are more than the {Environment.ProcessorCount} cores of this machine: " +
                "they will wait for each other."));
        }

        if (request.Spec.Batch > request.Spec.TrainSamples)
        {
            run.Publish(new RunEvent.Warning(
                $"a batch of {request.Spec.Batch} is larger than the {request.Spec.TrainSamples} training images: each step takes all of them."));
        }

        if (request.StopAfter <= request.StartStep)
        {
            run.Publish(new RunEvent.Warning(
                $"--stop-after {request.StopAfter} is already passed: the run is at step {request.StartStep}, and nothing is trained."));
        }
    }

    /// <param name="devices">Of the local cluster.</param>
    private IEnumerable<string> Introduction(IReadOnlyList<ComputeDevice> devices)
    {
        JobSpec spec = request.Spec;
        JobShape shape = spec.Shape;
        long silos = request.Configuration.Layout.Silos;
        string where = request.Cluster is { } cluster
            ? $"in {cluster.Url}"
            : $"on {string.Join(", ", devices.Select(device => device.Description))} in a local cluster of {(silos == 1 ? "1 silo" : $"{silos} silos")}";
        yield return $"Training {spec.Model.Name} on {spec.Data.NameOrPath}: " +
            $"{spec.TrainSamples} training and {spec.TestSamples} test images of {spec.Adapter.Image}.";
        yield return $"{spec.TotalSteps} steps of {spec.Batch} images ({shape.StepsPerEpoch} steps an epoch), {request.Workers} workers {where}.";
        yield return spec.Adapter.Describe();
        if (request.Checkpoint is not null)
        {
            yield return $"Going on from step {request.StartStep}, {request.Checkpoint}";
        }

        yield return $"Run folder: {folder.FullPath}";
    }

    /// <summary>Notices that the job has its workers and has begun.</summary>
    private sealed class JobStart(RunFolder folder) : RunSink
    {
        public bool IsSeen { get; private set; }

        public override void Handle(RunEvent happened)
        {
            // One that fails as it starts says that it saves until its end is kept: what it saves tells more.
            if (!IsSeen && happened is (RunEvent.StepsCommitted or RunEvent.CheckpointSaved or RunEvent.EpochCompleted
                or RunEvent.Progress { Status.State: JobState.Running or JobState.Evaluating }))
            {
                IsSeen = true;
                folder.PointLatestHere();
            }
        }
    }
}
