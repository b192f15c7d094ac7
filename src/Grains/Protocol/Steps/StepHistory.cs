using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>What people may ask about the steps committed so far; bounded.</summary>
public sealed class StepHistory
{
    private const int MostRows = 2000;
    private const int MostWarnings = 20;
    private const int UntimedSteps = 5;

    private readonly Queue<StepRow> _recent = [];
    private readonly Queue<string> _warnings = [];
    private long _steps;
    private long _timedSamples;
    private double _timedSeconds;

    /// <param name="seconds">Since the step before was committed, or since the job was told to run.</param>
    public void Add(StepOutcome outcome, double seconds)
    {
        if (++_steps > UntimedSteps)
        {
            _timedSamples += outcome.Batch.Count;
            _timedSeconds += seconds;
        }

        Keep(_warnings, outcome.Warning, MostWarnings);
        Keep(
            _recent,
            new StepRow(
                outcome.Decision.Step,
                outcome.Batch.LossSum / outcome.Batch.Count,
                (double)outcome.Batch.Correct / outcome.Batch.Count,
                outcome.LearningRate,
                outcome.GradientNorm,
                seconds),
            MostRows);
    }

    public StepProgress ProgressAt(JobPosition position) => new()
    {
        Position = position,
        TimedSamples = _timedSamples,
        TimedSeconds = _timedSeconds,
        Recent = [.. _recent],
        Warnings = [.. _warnings],
    };

    private static void Keep<T>(Queue<T> queue, T? item, int most)
    {
        if (item is not null)
        {
            queue.Enqueue(item);
            if (queue.Count > most)
            {
                queue.Dequeue();
            }
        }
    }
}
