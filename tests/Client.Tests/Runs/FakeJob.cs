using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Tests.Runs;

/// <summary>A job that trains nothing, in no time: a script says what happens between two questions; it notes what it is told.</summary>
internal sealed class FakeJob : IJobGrain
{
    public const string Id = "fake";

    private readonly Lock _gate = new();
    private readonly List<StepRow> _rows = [];
    private readonly List<JobEvent> _events = [];

    public string JobId { get; init; } = Id;

    public long TotalSteps { get; init; } = 20;

    public int StepsPerEpoch { get; init; } = 10;

    /// <summary>Rows and events of an answer.</summary>
    public int Most { get; init; } = JobStatus.MostRows;

    /// <summary>How many rows that were not asked for are in each answer.</summary>
    public int Overlap { get; init; }

    /// <summary>One of them happens before each question is answered.</summary>
    public Queue<Action> Script { get; } = [];

    /// <summary>What the answers to the next questions are lost by; null: this one arrives.</summary>
    public Queue<Exception?> Losses { get; } = [];

    /// <summary>The same for orders and submissions.</summary>
    public Queue<Exception?> OrderLosses { get; } = [];

    public List<JobSubmission> Submissions { get; } = [];

    public List<JobOrder> Orders { get; } = [];

    public List<StatusQuery> Queries { get; } = [];

    /// <summary>Called with each order that is new.</summary>
    public Action<JobOrder> Obey { get; set; } = _ => { };

    public JobState State { get; set; } = JobState.Running;

    public JobFailure? Failure { get; set; }

    public string? Reason { get; init; }

    /// <summary>The client that holds the lease; null: whoever asks.</summary>
    public string? Holder { get; set; }

    public CheckpointResult? Checkpoint { get; private set; }

    public long Step => _rows.Count;

    /// <summary>Questions that want to know nothing, but renew the lease.</summary>
    public int Renewals
    {
        get
        {
            lock (_gate)
            {
                return Queries.Count(query => query is { Client: not null, SinceEvent: null });
            }
        }
    }

    public static RunSummary Summary(long steps, double? accuracy) => new(steps, 1, 0.5, accuracy, "aa", "bb", 100, [], "/runs/a/x");

    public void Train(long steps)
    {
        for (long step = 0; step < steps; step++)
        {
            _rows.Add(new StepRow(Step, 1.0 / (Step + 1), 0.5, 0.1, 1, 0.2));
        }
    }

    public void Tell(RunEvent happened) => _events.Add(new JobEvent(_events.Count, happened));

    public void Save()
    {
        Checkpoint = new CheckpointResult($"/runs/a/checkpoints/step-{Step:D8}", Step, "aa", "bb");
        Tell(new RunEvent.CheckpointSaved(Checkpoint));
    }

    public void Complete()
    {
        lock (_gate)
        {
            State = JobState.Completed;
            Tell(new RunEvent.Completed("/runs/a", Summary(Step, 0.75)));
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            State = JobState.Stopped;
            Tell(new RunEvent.Stopped("/runs/a", Summary(Step, null)));
        }
    }

    public Task SubmitAsync(JobSubmission submission)
    {
        Submissions.Add(submission);
        return LostOrDone();
    }

    public Task<TakenUpJob> TakeUpAsync(JobTakeUp request) => throw new NotSupportedException();

    public Task OrderAsync(JobOrder order)
    {
        lock (_gate)
        {
            Orders.Add(order);
            if (State is not (JobState.Running or JobState.Queued or JobState.Paused))
            {
                throw new ConvNetException(ExitCode.Conflict, "the job has ended.");
            }

            if (Orders.Count(known => known.OrderId == order.OrderId) == 1)
            {
                Obey(order);
            }

            return LostOrDone();
        }
    }

    public Task<JobStatus> StatusAsync(StatusQuery query)
    {
        lock (_gate)
        {
            Queries.Add(query);
            if (Script.TryDequeue(out Action? happens))
            {
                happens();
            }

            return Losses.TryDequeue(out Exception? loss) && loss is not null ? Task.FromException<JobStatus>(loss) : Task.FromResult(StatusFor(query));
        }
    }

    private JobStatus StatusFor(StatusQuery query)
    {
        StepRow[] rows = query.SinceStep is { } step ? [.. _rows.Where(row => row.Step >= step - Overlap)] : [];
        JobEvent[] events = query.SinceEvent is { } number ? [.. _events.Where(known => known.Number >= number)] : [];
        return new JobStatus
        {
            JobId = JobId,
            Model = "lenet",
            Data = "none",
            State = State,
            Step = Step,
            TotalSteps = TotalSteps,
            StepsPerEpoch = StepsPerEpoch,
            SecondsPerStep = 0.2,
            Workers = [new WorkerStatus("local-1/0", 0, 4, Step, 10 * Step, 1, 0, 0, 0)],
            Servers = [new ServerStatus("coordinator", "local-1")],
            Checkpoint = Checkpoint,
            Failure = Failure,
            Reason = Reason,
            IsLeaseLost = Holder is not null && query.Client is not null && query.Client != Holder,
            RunFolder = "/runs/a",
            Rows = [.. rows.Take(Most)],
            Events = [.. events.Take(Most)],
            HasMore = rows.Length > Most || events.Length > Most,
        };
    }

    private Task LostOrDone() => OrderLosses.TryDequeue(out Exception? loss) && loss is not null ? Task.FromException(loss) : Task.CompletedTask;
}
