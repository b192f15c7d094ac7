using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Models;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>The run folder of a detached job. It is nobody else's until this is disposed of.</summary>
internal sealed class DetachedRun : IDisposable
{
    private readonly IDisposable _held;

    private DetachedRun(IDisposable held, RunStream stream, long firstStep) => (_held, Stream, FirstStep) = (held, stream, firstStep);

    public RunStream Stream { get; }

    /// <summary>The first step that is not in the folder yet.</summary>
    public long FirstStep { get; }

    /// <summary>Opens the folder that the submission names, with everything in it but its checkpoints, and writes the first event.</summary>
    /// <param name="step">The step at which the job goes on; rows past it are cut.</param>
    /// <param name="earlier">Who has written the folder for this job before.</param>
    /// <exception cref="ConvNetException">The folder is not empty, or somebody else writes there (exit code 6).</exception>
    public static DetachedRun Open(string jobId, JobSubmission submission, long step, EarlierWriter earlier)
    {
        RunFolder? known = submission.Checkpoint is not null ? RunFolder.TryOpen(submission.RunFolder)
            : earlier != EarlierWriter.None ? RunFolder.TryOpen(submission.RunFolder, jobId)
            : null;
        RunFolder folder = known ?? RunFolder.Create(submission.RunFolder);
        bool isLeft = earlier == EarlierWriter.LostSilo && !folder.IsNew;
        IDisposable held = folder.Lock(isLeft);
        try
        {
            if (!isLeft)
            {
                // A job that has gone on without its writer may be saving.
                CheckpointStore.Sweep(folder.CheckpointsPath);
            }

            PrivateFile.WriteText(folder.ConfigurationPath, submission.Configuration!);
            if (folder.IsNew)
            {
                PrivateFile.WriteText(folder.ModelPath, ModelFile.Write(JobSpec.FromJson(submission.JobJson).Model));
            }

            JsonLines events = isLeft ? JsonLines.TakeOver(folder.EventsPath, jobId) : JsonLines.Append(folder.EventsPath, jobId);
            var metrics = new MetricsFile(folder.MetricsPath, step);
            var stream = new RunStream([events, metrics]);
            var run = new DetachedRun(held, stream, metrics.LastStep);
            stream.Publish(new RunEvent.Started(folder.FullPath, submission.Options, []));
            return run;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            Stream.Dispose();
        }
        finally
        {
            _held.Dispose();
        }
    }
}
