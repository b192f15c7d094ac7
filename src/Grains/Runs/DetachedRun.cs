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

    private DetachedRun(IDisposable held, RunStream stream) => (_held, Stream) = (held, stream);

    public RunStream Stream { get; }

    /// <summary>Opens the folder that the submission names, with everything in it but its checkpoints, and writes the first event.</summary>
    /// <param name="step">The step at which the job goes on; rows past it are cut.</param>
    /// <param name="isTakenOver">The job has written the folder before, and whoever wrote it for the job is lost.</param>
    /// <exception cref="ConvNetException">The folder is not empty, or somebody else writes there (exit code 6).</exception>
    public static DetachedRun Open(string jobId, JobSubmission submission, long step, bool isTakenOver)
    {
        bool mayBeThere = isTakenOver || submission.Checkpoint is not null;
        RunFolder folder = (mayBeThere ? RunFolder.TryOpen(submission.RunFolder) : null) ?? RunFolder.Create(submission.RunFolder);
        isTakenOver &= !folder.IsNew;
        IDisposable held = folder.Lock(isLeft: isTakenOver);
        try
        {
            CheckpointStore.Sweep(folder.CheckpointsPath);
            PrivateFile.WriteText(folder.ConfigurationPath, submission.Configuration!);
            if (folder.IsNew)
            {
                PrivateFile.WriteText(folder.ModelPath, ModelFile.Write(JobSpec.FromJson(submission.JobJson).Model));
            }

            JsonLines events = isTakenOver ? JsonLines.TakeOver(folder.EventsPath, jobId) : JsonLines.Append(folder.EventsPath, jobId);
            var stream = new RunStream([events, new MetricsFile(folder.MetricsPath, step)]);
            var run = new DetachedRun(held, stream);
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
