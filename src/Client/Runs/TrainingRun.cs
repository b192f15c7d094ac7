using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Processes;

namespace ConvNet.Client.Runs;

/// <summary>
/// A job from its client's side: composes what is to be done, submits it, follows what the job tells, and steers it by orders. The job
/// carries the plan out by itself.
/// </summary>
/// <param name="run">Gets what the job tells, but for its end.</param>
internal sealed class TrainingRun(IJobGrain job, RunRequest request, RunStream run, StopSignal stop, TimeProvider clock)
{
    private static readonly TimeSpan AbandonPatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan RenewalPeriod = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Holds the lease of the job: as long as somebody with this name asks for its status, the job is not alone. In a cluster inside this process
    /// nothing outlives the client, and no lease is needed.
    /// </summary>
    public string? Client { get; init; } = request.Cluster is null ? null : Guid.NewGuid().ToString("N");

    /// <summary>What the job said last; null before it has.</summary>
    public JobStatus? Latest { get; private set; }

    /// <summary>The checkpoint store of a key; null if all silos share this machine's disk.</summary>
    public Func<string, ICheckpointStoreGrain>? Stores { get; init; }

    /// <summary>Tells whether any silo of the cluster answers when the job does not; null: nobody.</summary>
    public Func<Task<bool>>? Witness { get; init; }

    /// <summary>In the run folder; null if nobody has to look for it.</summary>
    public FolderProbe? Probe { get; init; }

    /// <summary>An evaluation and a checkpoint after each epoch, and what the configuration says besides.</summary>
    /// <param name="evaluations">Of the run so far.</param>
    public static JobSubmission Compose(RunRequest request, EvaluationResult[] evaluations)
    {
        CheckpointSection checkpoint = request.Configuration.Checkpoint;
        var plan = new TrainingPlan
        {
            StopAfter = request.StopAfter,
            EvaluateEvery = request.Spec.StepsPerEpoch,
            SaveEvery = checkpoint.EverySteps,
            SaveMinutes = checkpoint.EveryMinutes,
            Keep = (int)checkpoint.Keep,
            KeepEvery = checkpoint.KeepEvery * request.Spec.StepsPerEpoch,
            Evaluations = evaluations,
        };
        return new JobSubmission(Guid.NewGuid().ToString("N"), request.Spec.ToJson(), request.Layout, plan, request.Folder, request.Checkpoint)
        {
            CheckpointSha256 = request is { Cluster: not null, Checkpoint: { } start } ? CheckpointTransfer.Fingerprint(start) : null,
            Priority = request.Priority,
            Configuration = request.Cluster is null ? null : ConfigurationFile.Write(request.Configuration),
            Options = ConfigurationJson.Write(request.Configuration),
        };
    }

    /// <summary>Runs the job to its end. The first stop signal tells it to save and stop.</summary>
    /// <returns>How it ended: <see cref="RunEvent.Completed"/>, <see cref="RunEvent.Stopped"/> or <see cref="RunEvent.Failed"/>.</returns>
    /// <exception cref="ConvNetException">The cluster refuses the job, or does not answer any more.</exception>
    public async Task<RunEvent> RunAsync(JobSubmission submission)
    {
        await Contact().AskAsync(() => job.SubmitAsync(submission with { Client = Client, Probe = Probe?.Secret }));
        return await FollowAsync(submission.Plan);
    }

    /// <summary>Follows a job that has this client to its end.</summary>
    /// <param name="firstEvent">The number of the first event that the run has not got.</param>
    /// <param name="leave">Leaves the job without a client; without it, the first stop signal tells the job to save and stop.</param>
    /// <inheritdoc cref="RunAsync"/>
    public async Task<RunEvent> FollowAsync(TrainingPlan plan, long firstEvent = 0, CancellationToken leave = default)
    {
        CheckpointExchange? exchange = Stores is null ? null : new CheckpointExchange(Stores, request, plan, run);
        using var told = new RunStream(exchange is null ? [] : [exchange]);
        var follower = new RunFollower(job, request.JobId, exchange is null ? run : told, request.StartStep, clock)
        {
            Witness = Witness,
            Client = Client,
            FirstEvent = firstEvent,
            LastStep = request.StopAfter ?? request.Spec.TotalSteps,
        };
        using var ended = new CancellationTokenSource();
        Task renewing = RenewAsync(ended.Token);
        Task<RunEvent> following = follower.FollowAsync(leave);
        if (await Task.WhenAny(following, stop.Asked) != following && !leave.IsCancellationRequested)
        {
            await TellAsync(JobOrder.Of(JobOrderKind.Stop, client: Client), following);
        }

        try
        {
            RunEvent end = await following;
            return exchange is null ? end : await exchange.FinishAsync(end);
        }
        finally
        {
            Latest = follower.Latest;
            await ended.CancelAsync();
            await renewing;
        }
    }

    /// <summary>
    /// Frees what the job holds when its client has met an error. That error is told already: this may take some seconds, and it does not
    /// matter if it fails, as the job gives up by itself when nobody asks for it any more.
    /// </summary>
    public async Task AbandonAsync()
    {
        try
        {
            await job.OrderAsync(JobOrder.Of(JobOrderKind.Abandon, client: Client)).WaitAsync(AbandonPatience, clock);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e) || e is ConvNetException)
        {
            // Its lease runs out.
        }
    }

    /// <summary>
    /// Renews the lease beside the follower: what that hands on may be held up, by a reader that has stopped or a slow file system, while this client
    /// lives.
    /// </summary>
    private async Task RenewAsync(CancellationToken ended)
    {
        while (Client is not null && !ended.IsCancellationRequested)
        {
            try
            {
                await job.StatusAsync(new StatusQuery(Client: Client)).WaitAsync(ended);
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e) || e is ConvNetException or OperationCanceledException)
            {
                // The follower finds out what that means.
            }

            await Task.Delay(RenewalPeriod, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Repeats an order until the job has it, or has ended. What else may be wrong, the follower hears, too.</summary>
    private async Task TellAsync(JobOrder order, Task following)
    {
        using var ended = new CancellationTokenSource();
        Task telling = Contact().AskAsync(() => job.OrderAsync(order), ended.Token);
        await Task.WhenAny(telling, following);
        await ended.CancelAsync();
        await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private ClusterContact Contact() => new(() => $"job '{request.JobId}'", clock) { Witness = Witness };
}
