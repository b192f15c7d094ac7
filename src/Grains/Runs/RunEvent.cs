using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>
/// Something that happens in a run. <see cref="RunStream"/> hands it to every <see cref="RunSink"/>; a further kind is a record here
/// and a case in the sinks that show it.
/// </summary>
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
    public sealed record EpochCompleted(long Epoch, long Epochs, double TrainLoss, EvaluationResult Evaluation, double ImagesPerSecond) : RunEvent;

    public sealed record CheckpointSaved(CheckpointResult Checkpoint) : RunEvent;

    /// <summary>The run goes on, but somebody should know this.</summary>
    public sealed record Warning(string Message) : RunEvent;

    /// <summary>An answer to what the person at the keyboard just did.</summary>
    public sealed record Notice(string Message) : RunEvent;

    /// <summary>The last event of a run that was not cut short by an error.</summary>
    /// <param name="Folder">What the commands to go on with take: the run folder, or the checkpoint of a run without one.</param>
    public abstract record Ended(string Folder, RunSummary Summary) : RunEvent;

    /// <summary>All steps are done, and the result is evaluated.</summary>
    public sealed record Completed(string Folder, RunSummary Summary) : Ended(Folder, Summary);

    /// <summary>The run can go on with 'resume'.</summary>
    public sealed record Stopped(string Folder, RunSummary Summary) : Ended(Folder, Summary);

    /// <summary>The last event of a run that met an error.</summary>
    public sealed record Failed(ExitCode ExitCode, string Error) : RunEvent;

    /// <summary>The last event of a run whose process was told twice to end, and ends without a checkpoint.</summary>
    public sealed record Abandoned(ExitCode ExitCode) : RunEvent;
}
