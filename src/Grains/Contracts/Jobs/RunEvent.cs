using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>
/// Something that happens in a run. Those that the job tells of travel to everybody who follows it; the others are those of the process
/// that follows. A further kind is a record here and a case in the sinks that show it.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.RunEvent")]
public abstract record RunEvent
{
    private RunEvent()
    {
    }

    /// <summary>The first event of a run, and again of each time that it goes on.</summary>
    /// <param name="Folder">Absolute path of the run folder.</param>
    /// <param name="OptionsJson">Every option of the run, as a JSON object of dotted keys.</param>
    /// <param name="Introduction">What is trained, on what, where; one sentence each.</param>
    public sealed record Started(string Folder, string OptionsJson, IReadOnlyList<string> Introduction) : RunEvent;

    /// <param name="Rows">The steps since the last event of this kind, in their order.</param>
    public sealed record StepsCommitted(IReadOnlyList<StepRow> Rows, int StepsPerEpoch) : RunEvent;

    /// <summary>What the job is doing now; many times a second.</summary>
    public sealed record Progress(JobStatus Status) : RunEvent;

    /// <summary>The weights at the end of an epoch, or of the job, are evaluated.</summary>
    /// <param name="Epoch">Counts from 1.</param>
    /// <param name="Epochs">Of the whole job.</param>
    /// <param name="TrainLoss">Mean over the samples of the epoch.</param>
    /// <param name="ImagesPerSecond">In training.</param>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.EpochCompleted")]
    public sealed record EpochCompleted(
        [property: Id(0)] long Epoch,
        [property: Id(1)] long Epochs,
        [property: Id(2)] double TrainLoss,
        [property: Id(3)] EvaluationResult Evaluation,
        [property: Id(4)] double ImagesPerSecond) : RunEvent;

    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.CheckpointSaved")]
    public sealed record CheckpointSaved([property: Id(0)] CheckpointResult Checkpoint) : RunEvent;

    /// <summary>The job goes on with other workers, or, if nobody is lost and nobody has joined, with their shards dealt anew.</summary>
    /// <param name="Step">The first step of the new generation.</param>
    /// <param name="Lost">Keys of the workers that were taken out.</param>
    /// <param name="Joined">Keys of the workers that were taken in.</param>
    /// <param name="Workers">How many there are now.</param>
    /// <param name="NoticedSeconds">
    /// From the last sign of life of who was lost, a worker or the silo that led the job, until the job knew; 0 if nobody was.
    /// </param>
    /// <param name="GapSeconds">
    /// Between the last step committed before and the first one committed after. Of a change while the job rests by its plan: from the order to run on; while
    /// it evaluates: besides that, from the last sign of life of who was lost until the others have begun anew.
    /// </param>
    /// <param name="StepsRepeated">How many steps were computed again.</param>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.MembersChanged")]
    public sealed record MembersChanged(
        [property: Id(0)] long Generation,
        [property: Id(1)] long Step,
        [property: Id(2)] string[] Lost,
        [property: Id(3)] string[] Joined,
        [property: Id(4)] int Workers,
        [property: Id(5)] string Reason,
        [property: Id(6)] double NoticedSeconds,
        [property: Id(7)] double GapSeconds,
        [property: Id(8)] int StepsRepeated) : RunEvent;

    /// <summary>The job has saved what was new, and has freed its workers and servers; it goes on from there.</summary>
    /// <param name="State">Paused, or queued again.</param>
    /// <param name="Reason">For people.</param>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Yielded")]
    public sealed record Yielded([property: Id(0)] long Step, [property: Id(1)] JobState State, [property: Id(2)] string Reason) : RunEvent;

    /// <summary>The job has workers and servers again.</summary>
    /// <param name="Step">The first step of the new generation.</param>
    /// <param name="Workers">Their keys.</param>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Resumed")]
    public sealed record Resumed([property: Id(0)] long Step, [property: Id(1)] long Generation, [property: Id(2)] string[] Workers) : RunEvent;

    /// <summary>The run goes on, but somebody should know this.</summary>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Warning")]
    public sealed record Warning([property: Id(0)] string Message) : RunEvent;

    /// <summary>An answer to what the person at the keyboard just did.</summary>
    public sealed record Notice(string Message) : RunEvent;

    /// <summary>The last event of a run that was not cut short by an error.</summary>
    /// <param name="Folder">What the commands to go on with take: the run folder, or the checkpoint of a run without one.</param>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Ended")]
    public abstract record Ended([property: Id(0)] string Folder, [property: Id(1)] RunSummary Summary) : RunEvent;

    /// <summary>All steps are done, and the result is evaluated.</summary>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Completed")]
    public sealed record Completed(string Folder, RunSummary Summary) : Ended(Folder, Summary);

    /// <summary>The run can go on with 'resume'.</summary>
    [GenerateSerializer, Immutable, Alias("ConvNet.RunEvent.Stopped")]
    public sealed record Stopped(string Folder, RunSummary Summary) : Ended(Folder, Summary);

    /// <summary>The last event of a run that met an error.</summary>
    public sealed record Failed(ExitCode ExitCode, string Error) : RunEvent;

    /// <summary>The last event of a run whose process was told twice to end, and ends without a checkpoint.</summary>
    public sealed record Abandoned(ExitCode ExitCode) : RunEvent;
}
