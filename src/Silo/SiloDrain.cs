using System.Diagnostics;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Silo;

/// <summary>Lets the jobs leave a silo that is to be stopped, before it leaves its cluster.</summary>
/// <param name="silo">Its name.</param>
/// <param name="say">Called with a sentence when it changes what the silo waits for.</param>
internal sealed class SiloDrain(IGrainFactory grains, string silo, Action<string> say)
{
    private const int MostFailures = 2;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    /// <summary>More than the call itself waits.</summary>
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(9);

    /// <summary>After the last job has left: whoever follows one asks a few times a second, and is to hear of it.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    /// <summary>Ends when nothing of a job is on the silo, when the deadline is over, or when nobody answers who knows of jobs.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        string[] told = [];
        bool hadJobs = false;
        for (int failures = 0; failures < MostFailures; await Task.Delay(Period, cancellation))
        {
            string[] jobs;
            try
            {
                jobs = await AskAsync().WaitAsync(CallPatience, cancellation);
                failures = 0;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
            {
                failures++;
                continue;
            }

            if (jobs.Length == 0)
            {
                await Task.Delay(hadJobs ? Settling : TimeSpan.Zero, cancellation);
                return;
            }

            hadJobs = true;
            if (clock.Elapsed > Deadline)
            {
                say($"Silo '{silo}' leaves after {Deadline.TotalSeconds:F0} s, although there is still {string.Join("; ", jobs)}.");
                return;
            }

            if (!jobs.SequenceEqual(told))
            {
                told = jobs;
                say($"Silo '{silo}' waits for {string.Join("; ", jobs)}.");
            }
        }
    }

    /// <summary>Tells all jobs of the cluster that the silo is being stopped.</summary>
    /// <returns>What each of them that has a part here still has to do.</returns>
    private async Task<string[]> AskAsync() => (await grains.GetGrain<IDrainGrain>(PinnedKey.Drain(silo)).EmptyAsync(stops: true)).Waits;
}
