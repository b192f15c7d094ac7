using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Monitor;

/// <summary>What is known of a cluster, as tables.</summary>
internal sealed class MonitorTables(Terminal terminal, ClusterPicture picture)
{
    public TextTable Jobs()
    {
        var table = new TextTable(
            terminal,
            new Column("job", 0, IsNumber: false),
            new Column("state", 0, IsNumber: false),
            new Column("step", 1),
            new Column("loss", 2),
            new Column("accuracy", 5),
            new Column("test", 6),
            new Column("images/s", 4),
            new Column("left", 3),
            new Column("workers", 7),
            new Column("model", 8, IsNumber: false),
            new Column("data", 9, IsNumber: false));
        foreach (string id in picture.Ids)
        {
            if (picture.Find(id) is { } job && !picture.Silent.Contains(id))
            {
                table.Add(
                    id,
                    job.State.InWords(),
                    $"{job.Step}/{job.TotalSteps}",
                    Lines.Invariant($"{job.TrainLoss:F4}"),
                    Lines.Invariant($"{job.TrainAccuracy:F4}"),
                    job.Evaluation is { } evaluation ? Lines.Invariant($"{evaluation.Accuracy:F4}") : "",
                    Lines.Invariant($"{job.ImagesPerSecond:F0}"),
                    job.HasEnded ? "" : Lines.TimeLeft(job),
                    job.HasEnded ? "" : $"{job.Workers.Length}",
                    job.Model,
                    job.Data);
            }
            else
            {
                table.Add([id, "does not answer", .. Enumerable.Repeat("", 9)]);
            }
        }

        return table;
    }

    public TextTable Silos() => SiloTable.Of(terminal, picture.Silos, picture.Jobs);

    /// <summary>The workers of all jobs that go on.</summary>
    public TextTable WorkersOfAll() => Workers(picture.Jobs.Where(job => !job.HasEnded), withJob: true);

    public TextTable WorkersOf(JobStatus? job) => Workers(job is null ? [] : [job], withJob: false);

    public TextTable ServersOf(JobStatus? job)
    {
        var table = new TextTable(terminal, new Column("server", 0, IsNumber: false), new Column("silo", 0, IsNumber: false));
        foreach (ServerStatus server in job?.Servers ?? [])
        {
            table.Add(server.Role, server.Silo);
        }

        return table;
    }

    /// <param name="withJob">With a column for the job.</param>
    private TextTable Workers(IEnumerable<JobStatus> jobs, bool withJob)
    {
        Column[] job = withJob ? [new Column("job", 1, IsNumber: false)] : [];
        var table = new TextTable(
            terminal,
            [
                new Column("worker", 0, IsNumber: false),
                .. job,
                new Column("shards", 8),
                new Column("step", 2),
                new Column("images/s", 1),
                new Column("compute", 3),
                new Column("batch norm", 4),
                new Column("push", 5),
                new Column("pull", 6),
                new Column("now", 7, IsNumber: false),
            ]);
        foreach (JobStatus status in jobs)
        {
            foreach (WorkerStatus worker in status.Workers)
            {
                WorkerPace pace = picture.Paces.GetValueOrDefault((status.JobId, worker.Name));
                string[] id = withJob ? [status.JobId] : [];
                table.Add(
                [
                    worker.Name,
                    .. id,
                    ShortText.Shards(worker),
                    ShortText.Number(worker.Step),
                    Lines.Invariant($"{pace.ImagesPerSecond:F0}"),
                    ShortText.Percent(pace.Compute),
                    ShortText.Percent(pace.BatchNorm),
                    ShortText.Percent(pace.Push),
                    ShortText.Percent(pace.Pull),
                    ShortText.Phase(worker.Phase),
                ]);
            }
        }

        return table;
    }
}
