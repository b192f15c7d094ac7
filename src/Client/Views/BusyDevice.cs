using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>A device that a job works on.</summary>
internal readonly record struct BusyDevice(string Silo, string Worker, string JobId)
{
    /// <summary>As the jobs tell: jobs that have ended hold none.</summary>
    public static IEnumerable<BusyDevice> Of(IEnumerable<JobStatus> jobs) =>
        from job in jobs
        where !job.HasEnded
        from worker in job.Workers
        select new BusyDevice(PinnedKey.SiloOf(worker.Name), worker.Name, job.JobId);
}
