using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>What a silo keeps, hands out and takes in for clients that do not share its disk.</summary>
public sealed class CheckpointStoreTests(CachingSilo silo) : IClassFixture<CachingSilo>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly CancellationToken Cancellation = TestContext.Current.CancellationToken;
    private static readonly JobSpec Job = TestJobs.Job("lenet", batch: 8, steps: 6);

    [Fact]
    public async Task A_job_whose_folder_the_silo_does_not_see_saves_in_the_cache_which_goes_some_time_after_its_end()
    {
        using var folder = new TemporaryFolder();
        JobSubmission submission = Unseen(folder.Path, until: 3);
        IJobGrain job = silo.Grains.GetGrain<IJobGrain>("cached");
        await job.SubmitAsync(submission);
        JobStatus status = await TestJobs.EndAsync(job);
        CheckpointPlace place = status.Checkpoints!;

        Assert.Equal((true, Path.Combine(silo.Cache, submission.SubmissionId)), (place.IsCache, place.Folder));
        Assert.Equal(Path.Combine(place.Folder, "checkpoints/step-00000003"), status.Checkpoint!.Path);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        var waiting = Stopwatch.StartNew();
        while (Directory.Exists(place.Folder))
        {
            Assert.True(waiting.Elapsed < Patience, $"{place.Folder} is still there");
            await Task.Delay(100, Cancellation);
        }

        Assert.Null(await silo.Grains.GetGrain<ICheckpointStoreGrain>(place.Writer).ManifestAsync(3));
    }

    [Fact]
    public async Task A_job_goes_on_from_the_checkpoint_that_it_is_sent_and_takes_no_other()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        (CheckpointResult saved, _) = await TestJobs.RunAsync(silo.Grains, Job, workers: 1, until: 3);
        (CheckpointResult other, _) = await TestJobs.RunAsync(silo.Grains, Job, workers: 1, until: 2);
        (CheckpointResult whole, _) = await TestJobs.RunAsync(silo.Grains, Job, workers: 1);
        IJobGrain job = silo.Grains.GetGrain<IJobGrain>("sent");
        await job.SubmitAsync(Unseen(folder.Path, until: 6) with
        {
            Checkpoint = elsewhere["step-00000003"],
            CheckpointSha256 = CheckpointTransfer.Fingerprint(saved.Path),
        });
        ICheckpointStoreGrain store = silo.Grains.GetGrain<ICheckpointStoreGrain>((await AwaitsUploadAsync(job)).Writer);

        ConvNetException wrong = await Assert.ThrowsAsync<ConvNetException>(() => CheckpointTransfer.SendAsync(store, Contact(), other.Path, Cancellation));
        ConvNetException early = await Assert.ThrowsAsync<ConvNetException>(() => store.PutAsync("state.msgpack", 0, [1]));
        await CheckpointTransfer.SendAsync(store, Contact(), saved.Path, Cancellation);
        JobStatus ended = await TestJobs.EndAsync(job);
        ConvNetException late = await Assert.ThrowsAsync<ConvNetException>(() => CheckpointTransfer.SendAsync(store, Contact(), saved.Path, Cancellation));

        Assert.Equal(whole.StateSha256, ended.Checkpoint!.StateSha256);
        Assert.Equal((ExitCode.BadInput, ExitCode.Conflict, ExitCode.Conflict), (wrong.ExitCode, early.ExitCode, late.ExitCode));
    }

    [Fact]
    public async Task A_silo_tells_nothing_of_checkpoints_of_jobs_that_it_does_not_know()
    {
        ICheckpointStoreGrain store = silo.Grains.GetGrain<ICheckpointStoreGrain>($"{silo.SiloNames[0]}/unknown");

        Assert.Equal(ExitCode.BadInput, (await Assert.ThrowsAsync<ConvNetException>(() => store.ManifestAsync(1))).ExitCode);
        Assert.Equal(ExitCode.BadInput, (await Assert.ThrowsAsync<ConvNetException>(() => store.ManifestAsync(-1))).ExitCode);
        Assert.Equal(ExitCode.Conflict, (await Assert.ThrowsAsync<ConvNetException>(() => store.OfferAsync([]))).ExitCode);
    }

    private static ClusterContact Contact() => new(() => "the silo", TimeProvider.System);

    private static JobSubmission Unseen(string folder, long until) =>
        TestJobs.Submission(Job, folder, workers: 1, until: until) with { Probe = new string('0', 32) };

    private static async Task<CheckpointPlace> AwaitsUploadAsync(IJobGrain job)
    {
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            JobStatus status = await job.StatusAsync(new StatusQuery());
            if (status.Checkpoints is { AwaitsUpload: true } place)
            {
                return place;
            }

            Assert.True(waiting.Elapsed < Patience && !status.HasEnded, $"the job is {status.State}: {status.Reason}");
            await Task.Delay(20, Cancellation);
        }
    }
}
