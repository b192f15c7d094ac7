using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Orleans.Clustering.Redis;

namespace ConvNet.Silo;

/// <summary>
/// Looks every second whether the row of this silo is in the membership table still. Without it the silo is not ready, and says so; when others have
/// begun the cluster anew, it ends, lest there be two clusters of one name.
/// </summary>
/// <param name="warn">Takes a sentence for whoever runs the silo.</param>
internal sealed class MembershipWatch(
    IMembershipTable table, ILocalSiloDetails self, MembershipRecord record, FatalErrors fatal, Action<string> warn) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadDeadline = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Period);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            MembershipReading reading = await ReadAsync(stoppingToken);
            if (record.Observe(reading, clock.Elapsed))
            {
                warn(record.IsLost ? Loss : $"silo '{self.Name}' stands in the membership table again, and is ready.");
            }

            if (record.IsReplaced)
            {
                fatal.End(
                    $"silo '{self.Name}' ends: its cluster '{self.ClusterId}' has been begun anew without it, after the membership table in Redis was " +
                    "lost; start it again, and it joins. 'resume' goes on with its jobs from their checkpoints.");
            }
        }
    }

    private string Loss =>
        $"silo '{self.Name}' is not ready: it is missing in the membership table of cluster '{self.ClusterId}', so Redis has come back without its data. " +
        "Jobs that run go on, but no client or silo finds the cluster. Start all its silos again when the jobs have ended, and let Redis keep its data on " +
        "disk (appendonly yes).";

    private async Task<MembershipReading> ReadAsync(CancellationToken stoppingToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        deadline.CancelAfter(ReadDeadline);
        try
        {
            MembershipTableData row = await table.ReadRowAsync(self.SiloAddress, deadline.Token).WaitAsync(deadline.Token);
            return row.Members.Count > 0 ? MembershipReading.Present : MembershipReading.OtherTable;
        }
        catch (RedisClusteringException)
        {
            return MembershipReading.NoTable;
        }
        catch (Exception) when (!stoppingToken.IsCancellationRequested)
        {
            return MembershipReading.NoAnswer;
        }
    }
}
