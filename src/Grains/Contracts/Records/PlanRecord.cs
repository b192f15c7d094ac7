using ConvNet.Grains.Contracts.Jobs;
namespace ConvNet.Grains.Contracts.Records;

/// <summary>How far the plan of a job is carried out, as it is kept.</summary>
/// <param name="StopAfter">Completed steps.</param>
/// <param name="End">The end that was ordered, or null.</param>
/// <param name="Yields">The job is to give its place up.</param>
/// <param name="Saves">A checkpoint was ordered.</param>
/// <param name="Evaluates">An evaluation was ordered.</param>
/// <param name="EvaluatedStep">Of the last evaluation, −1 for none.</param>
/// <param name="SavedStep">Of the last checkpoint, or the step at which the job began.</param>
/// <param name="FinalIsSaved">The last checkpoint has the final result.</param>
/// <param name="Evaluation">The last one since the job began, or null.</param>
/// <param name="Checkpoint">The last one since the job began, or null.</param>
/// <param name="Evaluations">All of the run.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.PlanRecord")]
public sealed record PlanRecord(
    [property: Id(0)] long StopAfter,
    [property: Id(1)] JobState? End,
    [property: Id(2)] bool Yields,
    [property: Id(3)] bool Saves,
    [property: Id(4)] bool Evaluates,
    [property: Id(5)] long EvaluatedStep,
    [property: Id(6)] long SavedStep,
    [property: Id(7)] bool FinalIsSaved,
    [property: Id(8)] EvaluationResult? Evaluation,
    [property: Id(9)] CheckpointResult? Checkpoint,
    [property: Id(10)] EvaluationResult[] Evaluations);
