using ConvNet.Client.Cluster;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Serilog.Core;

namespace ConvNet.Client.Runs;

/// <summary>One use of a run folder, by train or by resume: opens its files and the cluster, runs the job, reports how it ended.</summary>
/// <param name="Checkpoint">Absolute path of the checkpoint to go on from, or null.</param>
/// <param name="StartStep">Completed steps of that checkpoint.</param>
/// <param name="StopAfter">Completed steps at which to stop, or null.</param>
/// <param name="ClusterUrl">Null for a local cluster.</param>
internal sealed record RunSession(
    RunFolder Folder, TrainConfiguration Configuration, JobSpec Spec, string? Checkpoint, long StartStep, long? StopAfter, string? ClusterUrl)
{
    private bool _begun;

    /// <param name="sinks">Take the events besides the files of the folder; disposed of at the end.</param>
    /// <returns>The exit code; errors have been reported.</returns>
    public async Task<int> RunAsync(IReadOnlyList<RunSink> sinks)
    {
        int code = await RunInFolderAsync(sinks);
        if (!_begun && code != (int)ExitCode.Bug)
        {
            Folder.DeleteUnlessTrained();
        }

        return code;
    }

    private async Task<int> RunInFolderAsync(IReadOnlyList<RunSink> sinks)
    {
        using Logger log = RunLog.Open(Folder.LogPath);
        using var run = new RunStream([JsonLines.Append(Folder.EventsPath), .. sinks]);
        using var stop = new StopSignal(notice => run.Publish(new RunEvent.Notice(notice)), code => run.Publish(new RunEvent.Abandoned(code)));
        try
        {
            run.Publish(new RunEvent.Started(Folder.FullPath, ConfigurationJson.Write(Configuration), [.. Introduction()]));
            return (int)await RunJobAsync(run, stop, log);
        }
        catch (Exception e)
        {
            log.Error(e, "The run failed");
            (ExitCode code, string message) = Failures.Explain(e);
            run.Publish(new RunEvent.Failed(code, _begun ? message + Remedy(code) : message));
            return (int)code;
        }
    }

    /// <summary>
    /// What to do after a failure of the environment, which is known only here: whether there is a checkpoint to go on from. What the job
    /// itself did wrong, it would do again.
    /// </summary>
    private string Remedy(ExitCode code)
    {
        if (code is not (ExitCode.Environment or ExitCode.Resources))
        {
            return "";
        }

        string where = ClusterUrl is null ? "" : $" --cluster {ClusterUrl}";
        return CheckpointStore.FindNewest(Folder.FullPath, _ => { }) is { } newest
            ? $" Go on from {Path.GetFileName(newest)} with 'convnet resume {Folder.FullPath}{where}'."
            : " There is no checkpoint yet: start the run again.";
    }

    private async Task<ExitCode> RunJobAsync(RunStream run, StopSignal stop, Logger log)
    {
        LayoutSection layout = Configuration.Layout;
        int workers = (int)layout.Workers!.Value;
        int threads = (int)(layout.Threads ?? Math.Max(1, Environment.ProcessorCount / workers));
        if (ClusterUrl is null && workers * threads > Environment.ProcessorCount)
        {
            run.Publish(new RunEvent.Warning(
                $"{workers} workers x {threads} threads are more than the {Environment.ProcessorCount} cores of this machine: they will wait for each other."));
        }

        if (Spec.Batch > Spec.TrainSamples)
        {
            run.Publish(new RunEvent.Warning($"a batch of {Spec.Batch} is larger than the {Spec.TrainSamples} training images: each step takes all of them."));
        }

        if (StopAfter <= StartStep)
        {
            run.Publish(new RunEvent.Warning($"--stop-after {StopAfter} is already passed: the run is at step {StartStep}, and nothing is trained."));
        }

        var metrics = new MetricsFile(Folder.MetricsPath, StartStep);
        run.Add(metrics);
        await using ClusterConnection cluster = ClusterUrl is null
            ? await LocalCluster.StartAsync((int)layout.Silos, workers, threads, log)
            : await ClusterConnection.ConnectAsync(ClusterUrl, log);
        string id = $"{Path.GetFileName(Folder.FullPath)}-{Guid.NewGuid().ToString("N")[..8]}";
        IJobGrain job = cluster.Job(id);
        log.Information("Job {Job}: {Spec}", id, Spec.ToJson());
        int threadsOfWorker = ClusterUrl is null || layout.Threads is not null ? threads : 0;
        await job.SubmitAsync(Spec.ToJson(), new JobLayout(workers, threadsOfWorker, (int)(layout.Partitions ?? 0)), Checkpoint, Folder.FullPath);
        _begun = true;
        Folder.PointLatestHere();
        try
        {
            var plan = new SavePlan(Configuration.Checkpoint, metrics.Evaluations, TimeProvider.System);
            return await new TrainingRun(job, Folder, run, plan, metrics.LastEvaluatedStep, stop).RunAsync(StopAfter);
        }
        catch (Exception) when (ClusterUrl is not null)
        {
            await ReleaseAsync(job, log);
            throw;
        }
    }

    /// <summary>Frees what the failed job holds in a cluster that lives on.</summary>
    private static async Task ReleaseAsync(IJobGrain job, Logger log)
    {
        try
        {
            await job.EndAsync(JobState.Failed);
        }
        catch (Exception e)
        {
            log.Warning(e, "The failed job could not be released");
        }
    }

    private IEnumerable<string> Introduction()
    {
        JobShape shape = Spec.Shape;
        string where = ClusterUrl ?? (Configuration.Layout.Silos == 1 ? "a local cluster of 1 silo" : $"a local cluster of {Configuration.Layout.Silos} silos");
        yield return $"Training {Spec.Model.Name} on {Spec.Data.NameOrPath}: " +
            $"{Spec.TrainSamples} training and {Spec.TestSamples} test images of {Spec.Adapter.Image}.";
        yield return $"{Spec.TotalSteps} steps of {Spec.Batch} images ({shape.StepsPerEpoch} steps an epoch), " +
            $"{Configuration.Layout.Workers} workers in {where}.";
        yield return Spec.Adapter.Describe();
        if (Checkpoint is not null)
        {
            yield return $"Going on from step {StartStep}, {Checkpoint}";
        }

        yield return $"Run folder: {Folder.FullPath}";
    }
}
