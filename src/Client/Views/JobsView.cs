using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>The jobs of a cluster: redrawn in place on a terminal, else a line for each job that has moved on.</summary>
internal sealed class JobsView : IDisposable
{
    private const int MostFinished = 8;
    private readonly Terminal _terminal;
    private readonly string _cluster;
    private readonly Dictionary<string, (long, JobState)> _shown = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveDisplayContext? _live;
    private Task? _display;

    private JobsView(Terminal terminal, string cluster, bool live)
    {
        _terminal = terminal;
        _cluster = cluster;
        if (live)
        {
            _display = Consoles.Create(terminal).Live(new Text("")).StartAsync(async context =>
            {
                _live = context;
                await _ended.Task;
            });
        }
    }

    public static JobsView For(Terminal terminal, string cluster, bool once) => new(terminal, cluster, terminal.IsInteractive && !once);

    public void Show(IReadOnlyList<JobStatus> jobs)
    {
        if (_live is not null)
        {
            _live.UpdateTarget(Render(jobs));
            return;
        }

        if (jobs.Count == 0 && _shown.Count == 0)
        {
            _terminal.Out.WriteLine($"No jobs in {_cluster}.");
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

    public void Dispose()
    {
        _ended.TrySetResult();
        _display?.GetAwaiter().GetResult();
        _display = null;
    }

    private static bool IsOver(JobStatus job) => job.State is JobState.Completed or JobState.Stopped or JobState.Failed or JobState.Cancelled;

    private static string Tested(JobStatus job) => job.Evaluation is { } evaluation
        ? string.Create(CultureInfo.InvariantCulture, $"test loss {evaluation.Loss:F4}  test accuracy {evaluation.Accuracy:F4} (step {evaluation.Step})")
        : "not evaluated yet";

    private void WritePlain(JobStatus job)
    {
        _terminal.Out.WriteLine($"{job.JobId}  {job.Model} on {job.Data}  {job.State}  {Lines.Progress(job)}  {Tested(job)}");
        foreach (WorkerStatus worker in IsOver(job) ? [] : job.Workers)
        {
            _terminal.Out.WriteLine($"  worker {worker.Name}  shards {worker.FirstShard}-{worker.EndShard - 1}  step {worker.Step}  {worker.Samples} images");
        }
    }

    private Rows Render(IReadOnlyList<JobStatus> jobs)
    {
        var rows = new List<IRenderable> { new Markup($"[bold]{Markup.Escape(_cluster)}[/]  {jobs.Count} job(s)  (Ctrl-C ends)") };
        foreach (JobStatus job in jobs.Where(job => !IsOver(job)))
        {
            rows.Add(new Markup($"[bold]{Markup.Escape(job.JobId)}[/]  {Markup.Escape(job.Model)} on {Markup.Escape(job.Data)}"));
            rows.Add(StatusPanel.Render(job));
            rows.Add(new Text(Tested(job)));
        }

        foreach (JobStatus job in jobs.Where(IsOver).Take(MostFinished))
        {
            string failure = job.Failure is { } known ? $"  {known.Message}" : "";
            rows.Add(new Text($"{job.JobId}  {job.State}  step {job.Step}/{job.TotalSteps}  {Tested(job)}{failure}"));
        }

        return new Rows(rows);
    }
}
