using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;

namespace ConvNet.Client.Views;

/// <summary>The jobs of a cluster: redrawn in place on a terminal, else a line for each job that has moved on.</summary>
internal sealed class JobsView : IDisposable
{
    private static readonly Style Bold = new(decoration: Decoration.Bold);

    private const int MostFinished = 8;

    /// <summary>In place of the step and the state of a job that does not answer.</summary>
    private static readonly (long, JobState) Silent = (-1, default);

    /// <summary>Heading, bar, numbers and the last evaluation of a job.</summary>
    private const int RowsOfJob = 2 + StatusPanel.FixedRows;

    private readonly Terminal _terminal;
    private readonly string _cluster;
    private readonly Dictionary<string, (long, JobState)> _shown = [];
    private readonly LiveRegion? _live;

    private JobsView(Terminal terminal, string cluster, bool live)
    {
        _terminal = terminal;
        _cluster = cluster;
        _live = live ? new LiveRegion(terminal) : null;
    }

    public static JobsView For(Terminal terminal, string cluster, bool once) => new(terminal, cluster, terminal.IsInteractive && !once);

    /// <param name="silent">Ids of jobs that do not answer.</param>
    public void Show(IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent)
    {
        if (_live is not null)
        {
            _live.Show(size => Rows(jobs, silent, size));
            return;
        }

        foreach (string id in silent.Where(id => !_shown.TryGetValue(id, out (long, JobState) last) || last != Silent))
        {
            _shown[id] = Silent;
            _terminal.Say(SilentLine(id));
        }

        if (jobs.Count == 0 && _shown.Count == 0)
        {
            _terminal.Say($"No jobs in {_cluster}.");
            _shown[""] = default;
        }

        foreach (JobStatus job in jobs.Reverse())
        {
            if (!_shown.TryGetValue(job.JobId, out (long, JobState) last) || last != (job.Step, job.State))
            {
                _shown[job.JobId] = (job.Step, job.State);
                WritePlain(job);
            }
        }

        _terminal.Out.Flush();
    }

    public void Dispose() => _live?.End();

    private static string SilentLine(string id) => $"{id}  does not answer";

    private static string Tested(JobStatus job) => job.Evaluation is { } evaluation
        ? Lines.Invariant($"test loss {evaluation.Loss:F4}  test accuracy {evaluation.Accuracy:F4} (step {evaluation.Step})")
        : "not evaluated yet";

    private void WritePlain(JobStatus job)
    {
        int columns = _terminal.SizeNow.LineColumns;
        _terminal.Say($"{job.JobId}  {job.Model} on {job.Data}  {job.State.InWords()}  {Lines.Progress(job, columns)}  {Tested(job)}{Why(job)}");
        foreach (WorkerStatus worker in job.HasEnded ? [] : job.Workers)
        {
            _terminal.Say($"  worker {worker.Name}  shards {worker.FirstShard}-{worker.EndShard - 1}  step {worker.Step}  {worker.Samples} images");
        }
    }

    /// <summary>Every running job has its bar and numbers while there is room; what is left goes to workers, then to jobs that are over.</summary>
    private List<ScreenRow> Rows(IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent, ScreenSize size)
    {
        int columns = size.LineColumns, left = size.Rows - 1;
        int count = jobs.Count + silent.Count;
        var rows = new List<ScreenRow> { ScreenRow.Of(Cut($"{_cluster}  {count} job{(count == 1 ? "" : "s")}  (Ctrl-C ends)", columns), Bold) };
        JobStatus[] running = [.. jobs.Where(job => !job.HasEnded)];
        int fitting = Math.Min(running.Length, running.Length * RowsOfJob <= left ? running.Length : Math.Max(0, (left - 1) / RowsOfJob));
        left -= fitting * RowsOfJob;
        for (int i = 0; i < fitting; i++)
        {
            int ofWorkers = left / (fitting - i);
            IReadOnlyList<ScreenRow> panel = StatusPanel.Rows(_terminal, running[i], columns, StatusPanel.FixedRows + ofWorkers);
            left -= panel.Count - StatusPanel.FixedRows;
            rows.Add(ScreenRow.Of(Cut($"{running[i].JobId}  {running[i].Model} on {running[i].Data}", columns), Bold));
            rows.AddRange(panel);
            rows.Add(ScreenRow.Of(Cut(Tested(running[i]) + Why(running[i]), columns)));
        }

        if (fitting < running.Length)
        {
            rows.Add(ScreenRow.Of($"{Glyphs.For(_terminal).Ellipsis} and {running.Length - fitting} more running"));
            return rows;
        }

        rows.AddRange(silent.Take(Math.Min(left, MostFinished)).Select(id => ScreenRow.Of(Cut(SilentLine(id), columns), Color.Red)));
        left -= Math.Min(silent.Count, Math.Min(left, MostFinished));
        rows.AddRange(jobs.Where(job => job.HasEnded).Take(Math.Min(left, MostFinished)).Select(job => ScreenRow.Of(Cut(Over(job), columns))));
        return rows;
    }

    private static string Over(JobStatus job) => $"{job.JobId}  {job.State.InWords()}  step {job.Step}/{job.TotalSteps}  {Tested(job)}{Why(job)}";

    private static string Why(JobStatus job) => (job.Failure?.Message ?? job.Reason) is { } reason ? $"  {reason}" : "";

    private string Cut(string text, int columns) => ScreenText.Cut(_terminal.Printable(text), columns, Glyphs.For(_terminal));
}
