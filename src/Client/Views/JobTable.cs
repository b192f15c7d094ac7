using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>The jobs of a cluster in short.</summary>
internal static class JobTable
{
    /// <param name="silent">Ids of jobs that do not answer.</param>
    public static TextTable Of(Terminal terminal, IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent)
    {
        var table = new TextTable(
            terminal,
            new Column("job", 0, IsNumber: false),
            new Column("state", 0, IsNumber: false),
            new Column("step", 1),
            new Column("model", 2, IsNumber: false),
            new Column("data", 4, IsNumber: false),
            new Column("workers", 3),
            new Column("priority", 5),
            new Column("queue", 6));
        foreach (JobStatus job in jobs)
        {
            table.Add(
                job.JobId,
                job.State.InWords(),
                $"{job.Step}/{job.TotalSteps}",
                job.Model,
                job.Data,
                job.HasEnded ? "" : $"{job.Workers.Length}",
                $"{job.Priority}",
                $"{job.QueuePosition}");
        }

        foreach (string id in silent)
        {
            table.Add(id, "does not answer", "", "", "", "", "", "");
        }

        return table;
    }
}
