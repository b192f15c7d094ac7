using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// What people may ask about the steps committed so far; bounded. Rows go to the job grain in increments: those since the last one that it has
/// acknowledged, so that none is missing when a message is lost, as long as no more than the bound are waiting.
/// </summary>
/// <remarks>Times are seconds on any one clock that never goes back.</remarks>
public sealed class StepHistory
{
    private const int MostRows = 2000;
    private const int MostWarnings = 20;
    private const int UntimedSteps = 5;

    private readonly Queue<StepRow> _recent = [];
    private readonly Queue<string> _warnings = [];
    private JobPosition _position = JobPosition.Start;
    private long _steps;
    private long _timedSamples;
    private double _timedSeconds;
    private double _lastCommit;
    private long _runUntil;
    private long _generation;
    private bool _awaitsFirstCommit;
    private double? _gapSeconds;
    private long _acknowledged = -1;
    private long _forwarded = -1;
    private double? _askedAt;
    private double _silence;

    /// <summary>True if there are rows that the job grain has not acknowledged.</summary>
    public bool HasNews => _position.Step - 1 > _acknowledged && _recent.Count > 0;

    /// <summary>A generation has begun; after the first one, its gap ends with its first commit.</summary>
    /// <param name="position">After the last committed step: an earlier one than before if the job has gone back to a checkpoint.</param>
    public void Begin(Assignment assignment, JobPosition position)
    {
        _awaitsFirstCommit = _generation > 0;
        _generation = assignment.Generation;
        _gapSeconds = null;
        _forwarded = -1;
        _position = position;
        _acknowledged = Math.Min(_acknowledged, position.Step - 1);
        StepRow[] kept = [.. _recent.Where(row => row.Step < position.Step)];
        _recent.Clear();
        Array.ForEach(kept, _recent.Enqueue);
    }

    /// <summary>
    /// The job is to run until a step. If it was at rest, time counts from now on; in the middle of a run, after a change of generation, it goes
    /// on counting from the last commit.
    /// </summary>
    public void Run(long untilStep, double now)
    {
        if (_position.Step >= _runUntil)
        {
            _lastCommit = now;
        }

        _runUntil = Math.Max(_runUntil, untilStep);
    }

    /// <summary>A step is committed.</summary>
    public void Add(StepOutcome outcome, double now)
    {
        double seconds = now - _lastCommit;
        _lastCommit = now;
        _position = outcome.Position;
        if (_awaitsFirstCommit)
        {
            _awaitsFirstCommit = false;
            _gapSeconds = seconds;
            _silence = 0;
        }

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

    /// <summary>The job grain is told of progress, and has not answered yet.</summary>
    public void Ask(double now) => _askedAt ??= now;

    /// <summary>It has answered, or nobody waits for that any more.</summary>
    public void EndAsking(double now)
    {
        _silence = Math.Max(_silence, now - _askedAt ?? 0);
        _askedAt = null;
    }

    /// <summary>With all rows that are kept.</summary>
    public StepProgress Progress() => ProgressAfter(-1);

    /// <summary>The same, with what one should know who has just begun to lead the job on.</summary>
    public StepProgress ProgressAt(double now) => Progress() with
    {
        RestSeconds = _steps > 0 && _position.Step >= _runUntil ? now - _lastCommit : 0,
        SilenceSeconds = Math.Max(_silence, now - _askedAt ?? 0),
    };

    /// <summary>With the rows that the job grain has not acknowledged.</summary>
    public StepProgress Unacknowledged() => ProgressAfter(_acknowledged);

    /// <summary>The job grain has taken this progress.</summary>
    public void Acknowledge(StepProgress progress)
    {
        if (progress.Generation == _generation)
        {
            _acknowledged = Math.Max(_acknowledged, progress.Position.Step - 1);
        }
    }

    /// <summary>With the rows that the coordinator's standby has not taken in this generation.</summary>
    public StepProgress Unforwarded() => ProgressAfter(_forwarded);

    /// <summary>The standby has taken this progress.</summary>
    public void NoteForwarded(StepProgress progress)
    {
        if (progress.Generation == _generation)
        {
            _forwarded = Math.Max(_forwarded, progress.Position.Step - 1);
        }
    }

    /// <summary>As the standby's: the coordinator's has come to this; its rows come in order, some of them more than once.</summary>
    public void Follow(StepProgress progress, double now)
    {
        long last = _recent.Count == 0 ? -1 : _recent.Last().Step;
        foreach (StepRow row in progress.Recent.Where(row => row.Step > last))
        {
            Keep(_recent, row, MostRows);
        }

        _warnings.Clear();
        Array.ForEach(progress.Warnings, _warnings.Enqueue);
        (_position, _generation, _lastCommit) = (progress.Position, progress.Generation, now);
        (_timedSamples, _timedSeconds, _steps) = (progress.TimedSamples, progress.TimedSeconds, UntimedSteps);

        // A change of generation in the middle of a run counts from the last commit.
        _runUntil = progress.Position.Step + 1;
    }

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

    private StepProgress ProgressAfter(long step) => new()
    {
        Position = _position,
        Generation = _generation,
        GapSeconds = _gapSeconds,
        TimedSamples = _timedSamples,
        TimedSeconds = _timedSeconds,
        Recent = [.. _recent.Where(row => row.Step > step)],
        Warnings = [.. _warnings],
    };
}
