using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>The jobs of a cluster as plain lines: one for each job that has moved on, and those of its workers.</summary>
/// <param name="cluster">Its URL.</param>
internal sealed class JobLines(Terminal terminal, string cluster)
{
    /// <summary>In place of the step and the state of a job that does not answer.</summary>
    private static readonly (long, JobState) Silent = (-1, default);

    private readonly Dictionary<string, (long, JobState)> _shown = [];
    private bool _saidNone;

    /// <param name="silent">Ids of jobs that do not answer.</param>
    public void Show(IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent)
    {
        foreach (string id in silent.Where(id => !_shown.TryGetValue(id, out (long, JobState) last) || last != Silent))
        {
            _shown[id] = Silent;
            terminal.Say($"{id}  does not answer");
        }

        if (jobs.Count == 0 && _shown.Count == 0 && !_saidNone)
        {
            terminal.Say($"No jobs in {cluster}.");
            _saidNone = true;
        }

        foreach (JobStatus job in jobs.Reverse())
        {
            if (!_shown.TryGetValue(job.JobId, out (long, JobState) last) || last != (job.Step, job.State))
            {
                _shown[job.JobId] = (job.Step, job.State);
                Write(job);
            }
        }

        terminal.Out.Flush();
    }

    private void Write(JobStatus job)
    {
        string progress = Lines.Progress(job, terminal.SizeNow.LineColumns);
        terminal.Say($"{job.JobId}  {job.Model} on {job.Data}  {job.State.InWords()}  {progress}  {Lines.Tested(job)}{Lines.Why(job)}");
        foreach (WorkerStatus worker in job.HasEnded ? [] : job.Workers)
        {
            terminal.Say($"  worker {worker.Name}  shards {worker.FirstShard}-{worker.EndShard - 1}  step {worker.Step}  {worker.Samples} images");
        }
    }
}
