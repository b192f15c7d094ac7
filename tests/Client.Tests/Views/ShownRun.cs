using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Tests.Views;

/// <summary>The events of a run of two epochs, for views.</summary>
internal static class ShownRun
{
    public static JobStatus Status(long step) => new()
    {
        JobId = "a",
        Model = "fashion-cnn",
        Data = "fashion-mnist-mini",
        State = JobState.Running,
        Step = step,
        TotalSteps = 40,
        StepsPerEpoch = 20,
        TrainLoss = 1.5,
        Workers = [new WorkerStatus("node-1/0", 0, 2, step, 100 * step, 3, 1, 0, 0), new WorkerStatus("node-2/0", 2, 4, step, 0, 1, 0, 0, 0)],
    };

    /// <summary>A job with many workers, of which each computes longer than the one before it.</summary>
    public static JobStatus Status(long step, int workers) => Status(step) with
    {
        TotalSteps = 4000,
        ImagesPerSecond = 12345,
        LearningRate = 0.0012345,
        SecondsPerStep = 2,
        Workers = [.. Enumerable.Range(0, workers).Select(i => new WorkerStatus($"node-{i}/0", i, i + 1, step, 100 * step + 1, 3 + i, 1, 1, 1))],
    };

    /// <summary>Shows the first epoch, and how the run ends.</summary>
    public static void Show(RunSink view)
    {
        view.Handle(new RunEvent.Started("/runs/a", "{}", ["fashion-cnn on fashion-mnist-mini"]));
        for (int i = 0; i < 20; i++)
        {
            view.Handle(new RunEvent.Progress(Status(i)));
        }

        view.Handle(new RunEvent.EpochCompleted(1, 2, 1.5, new EvaluationResult(20, 100, 0.25, 0.875), 99));
        view.Handle(new RunEvent.Completed("/runs/a", new RunSummary(40, 2, 1.5, 0.875, "aa", "bb", 99, [], "/runs/a/x")));
    }

    public static RunEvent.MembersChanged Lost { get; } = new(3, 412, ["node-3/0"], [], 2, "node-3/0 has left the cluster with its silo", 1.24, 2.04, 1);

    /// <summary>Shows what goes wrong.</summary>
    public static void ShowTrouble(RunSink view)
    {
        view.Handle(new RunEvent.Warning("step 3 was skipped"));
        view.Handle(new RunEvent.Notice("Finishing the step"));
        view.Handle(new RunEvent.Failed(Engine.Errors.ExitCode.TrainingFailed, "diverged"));
    }
}
