using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Contracts.Records;

/// <summary>What a job grain must know to go on with a job that another one has led: its machine's state, without what its parts tell anew.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.LifeRecord")]
public sealed record LifeRecord
{
    [Id(0)] public JobState State { get; init; }

    /// <summary>The newest that was begun, or is about to.</summary>
    [Id(1)] public long Generation { get; init; }

    [Id(2)] public Assignment? Assignment { get; init; }

    /// <summary>Null before the job has begun.</summary>
    [Id(3)] public PlanRecord? Plan { get; init; }

    /// <summary>Without rows and warnings.</summary>
    [Id(4)] public StepProgress Reached { get; init; } = new();

    [Id(5)] public string? Reason { get; init; }

    [Id(6)] public JobFailure? Failure { get; init; }

    /// <summary>Ids of the orders that were taken.</summary>
    [Id(7)] public string[] Orders { get; init; } = [];

    /// <summary>Those that wait until the job has begun.</summary>
    [Id(8)] public JobOrder[] EarlyOrders { get; init; } = [];

    [Id(9)] public bool IsPaused { get; init; }

    /// <summary>Why the job has no client any more, for people; or null.</summary>
    [Id(27)] public string? Orphaned { get; init; }

    /// <summary>The generation whose workers and servers are being freed; or null.</summary>
    [Id(10)] public Assignment? Releasing { get; init; }

    /// <summary>Why the job is to end, for people.</summary>
    [Id(11)] public string? Ending { get; init; }

    /// <summary>Why the job is to give its place up, for people.</summary>
    [Id(12)] public string? Vacating { get; init; }

    /// <summary>The job was to begin in a new place with the workers that were left, and has not started there yet.</summary>
    [Id(31)] public bool StartsWithFewer { get; init; }

    /// <summary>Workers that have computed wrongly, and that the job takes no more.</summary>
    [Id(26)] public string[] Expelled { get; init; } = [];

    /// <summary>How many workers the job asks for.</summary>
    [Id(13)] public int Asked { get; init; }

    /// <summary>Those who work on; of the last change of generation even if it has not started yet.</summary>
    [Id(20)] public AssignedWorker[] Members { get; init; } = [];

    /// <summary>Who is lost since the last change of generation; null: nobody.</summary>
    [Id(23)] public MembersChange? Lost { get; init; }

    /// <summary>What has changed with generations that have not led to a committed step; null: nothing.</summary>
    [Id(21)] public MembersChange? Untold { get; init; }

    /// <summary>What of <see cref="Untold"/> has come to the start of its generation; null: nothing.</summary>
    [Id(28)] public MembersChange? Begun { get; init; }

    /// <summary>Steps that are computed again since then.</summary>
    [Id(22)] public int Repeated { get; init; }

    /// <summary>The last events, numbered one after the other.</summary>
    [Id(14)] public JobEvent[] Events { get; init; } = [];

    /// <summary>The number of the next event.</summary>
    [Id(15)] public long NextEvent { get; init; }

    /// <summary>Training samples by worker, of the steps before <see cref="CountedStep"/>.</summary>
    [Id(16)] public KeyValuePair<string, long>[] Samples { get; init; } = [];

    [Id(17)] public long CountedStep { get; init; }

    /// <summary>Of the last checkpoint, or where the job began.</summary>
    [Id(24)] public JobPosition SavedPosition { get; init; } = JobPosition.Start;

    /// <summary>The samples there.</summary>
    [Id(25)] public KeyValuePair<string, long>[] SavedSamples { get; init; } = [];

    /// <summary>By step of the last checkpoints, oldest first, the samples there: one of them may be gone back to instead.</summary>
    [Id(30)] public KeyValuePair<long, KeyValuePair<string, long>[]>[] SamplesAt { get; init; } = [];

    /// <summary>The job has gone back to that checkpoint for a failure of its servers.</summary>
    [Id(29)] public bool HasGoneBack { get; init; }

    /// <summary>Training samples and seconds in places that the job has given up.</summary>
    [Id(18)] public long TimedSamples { get; init; }

    [Id(19)] public double TimedSeconds { get; init; }
}
