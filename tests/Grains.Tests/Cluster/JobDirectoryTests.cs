using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

public class JobDirectoryTests
{
    [Fact]
    public async Task The_directory_forgets_the_oldest_ended_jobs_and_no_live_one()
    {
        var silo = new OneSilo();
        await silo.InitializeAsync();
        await using (silo)
        {
            using var folder = new TemporaryFolder();
            IJobDirectoryGrain directory = silo.Grains.GetGrain<IJobDirectoryGrain>(0);
            JobSpec job = TestJobs.Job("lenet", batch: 4, steps: 200_000);
            IJobGrain live = silo.Grains.GetGrain<IJobGrain>("live");
            await live.SubmitAsync(TestJobs.Submission(job, folder.Path, workers: 1));
            IJobGrain ended = silo.Grains.GetGrain<IJobGrain>("ended");
            await ended.SubmitAsync(TestJobs.Submission(job with { TotalSteps = 1 }, folder.Path, workers: 1));
            await TestJobs.EndAsync(ended);
            for (int i = 0; i < 99; i++)
            {
                await directory.RegisterAsync($"other-{i}");
            }

            string[] known = await directory.ListAsync();

            Assert.Equal(100, known.Length);
            Assert.Contains("live", known);
            Assert.DoesNotContain("ended", known);
            ConvNetException gone = await Assert.ThrowsAsync<ConvNetException>(() => ended.StatusAsync(new StatusQuery()));
            Assert.Equal(ExitCode.BadInput, gone.ExitCode);
            await live.OrderAsync(JobOrder.Of(JobOrderKind.Stop));
            await TestJobs.EndAsync(live);
        }
    }
}
