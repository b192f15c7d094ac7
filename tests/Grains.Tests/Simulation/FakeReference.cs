using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What every run of a job must come to at each version: that of one worker, one partition and no faults.</summary>
/// <param name="States">By version, from 0.</param>
/// <param name="Outcomes">By step.</param>
/// <param name="Evaluations">By version.</param>
internal sealed record FakeReference(FakeState[] States, StepOutcome[] Outcomes, EvaluationResult[] Evaluations)
{
    /// <summary>Of everything that a complete run leaves behind.</summary>
    public string End => FakeJobs.Hash(States[^1], Outcomes);

    public static FakeReference Of(FakeJob job)
    {
        var model = new FakeModel(job);
        var start = FakeState.Initial(model, job.Optimizer);
        var cluster = new SimulatedCluster(
            model, new Layout(1, 1, NetworkFaults.None), start, new TrainingPlan { EvaluateEvery = job.Shape.TotalSteps, SaveEvery = 1 }, 0);
        cluster.Run();
        FakeState[] states = [start, .. cluster.Checkpoints];
        return new FakeReference(states, [.. cluster.Outcomes], [.. states.Select(model.EvaluationOf)]);
    }
}
