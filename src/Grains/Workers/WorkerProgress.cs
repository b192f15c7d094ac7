using System.Diagnostics;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Metering;

namespace ConvNet.Grains.Workers;

/// <summary>
/// What a worker is doing and what it has done for a job, over all generations. The engine's thread writes, anybody reads; nothing is
/// allocated on the way.
/// </summary>
internal sealed class WorkerProgress
{
    private const int PhaseBits = 3;

    /// <summary>The phase, and above it when it began: in one word, so that nobody sees a phase with another one's time.</summary>
    private long _phase = Word(WorkerPhase.Idle, Stopwatch.GetTimestamp());

    private long _step;
    private long _samples;
    private long _evaluated;
    private double _trainSeconds;
    private double _batchNormSeconds;
    private double _pushSeconds;
    private double _pullSeconds;
    private (long Step, long Samples) _last = (-1, 0);
    private ((long Step, long Samples) Before, long Samples) _counted;
    private readonly Lock _completedLock = new();
    private CompletedSteps _completed;
    private (double BatchNorm, double Push, double Pull) _metered;

    /// <summary>Steps of the job until the last one that is acknowledged.</summary>
    public long Step => Volatile.Read(ref _step);

    /// <returns>The time, as <see cref="Stopwatch.GetTimestamp"/>.</returns>
    public long Enter(WorkerPhase phase)
    {
        long now = Stopwatch.GetTimestamp();
        Volatile.Write(ref _phase, Word(phase, now));
        return now;
    }

    /// <summary>Ends a wait: the engine computes again.</summary>
    /// <param name="start">When it began.</param>
    public void EndBatchNorm(long start) => Add(ref _batchNormSeconds, start, Enter(WorkerPhase.Computing));

    /// <inheritdoc cref="EndBatchNorm"/>
    public void EndPush(long start) => Add(ref _pushSeconds, start, Enter(WorkerPhase.Computing));

    /// <inheritdoc cref="EndBatchNorm"/>
    public void EndPull(long start) => Add(ref _pullSeconds, start, Enter(WorkerPhase.Computing));

    /// <summary>Adds the time that it took to hand gradients over, in which the engine waits for nobody.</summary>
    public void AddPush(long start) => Add(ref _pushSeconds, start, Stopwatch.GetTimestamp());

    /// <summary>Adds the time of a step, waits included, whether or not it came to its end.</summary>
    /// <param name="shards">That it has computed; 0: it did not.</param>
    public void AddTraining(long start, int shards)
    {
        double before = _trainSeconds;
        Add(ref _trainSeconds, start, Stopwatch.GetTimestamp());
        double seconds = _trainSeconds - before;
        (double batchNorm, double push, double pull) =
            (_batchNormSeconds - _metered.BatchNorm, _pushSeconds - _metered.Push, _pullSeconds - _metered.Pull);
        WorkMeter.AddStep(seconds, batchNorm, push, pull);
        _metered = (_batchNormSeconds, _pushSeconds, _pullSeconds);
        if (shards > 0)
        {
            double waited = Math.Min(seconds, batchNorm + push + pull);
            lock (_completedLock)
            {
                _completed = new CompletedSteps(
                    _completed.Steps + 1, _completed.Shards + shards, _completed.ComputeSeconds + seconds - waited, _completed.Seconds + seconds);
            }
        }
    }

    /// <summary>
    /// Counts a step that is about to be reported. When the last one runs again, in a newer generation and maybe with other shards, it is
    /// counted anew in place of the first time; one that ran before that, since the job went back to a checkpoint, stays as it was counted.
    /// </summary>
    public void Count(long step, long samples)
    {
        _counted = (_last, 0);
        if (step >= _last.Step)
        {
            _counted.Samples = samples - (step == _last.Step ? _last.Samples : 0);
            _last = (step, samples);
            Volatile.Write(ref _samples, _samples + _counted.Samples);
        }
    }

    /// <summary>The step that was counted last had been decided before it ran: what it was counted then holds, here and at others.</summary>
    public void TakeCountBack()
    {
        _last = _counted.Before;
        Volatile.Write(ref _samples, _samples - _counted.Samples);
        _counted.Samples = 0;
    }

    /// <param name="step">Its report is acknowledged.</param>
    public void EndStep(long step)
    {
        Volatile.Write(ref _step, step + 1);
        WorkMeter.AddTrained(Math.Max(0, _counted.Samples));
    }

    public void AddEvaluated(long samples)
    {
        Volatile.Write(ref _evaluated, _evaluated + samples);
        WorkMeter.AddEvaluated(samples);
    }

    /// <param name="shards">Of its assignment.</param>
    public WorkerStatus StatusOf(string name, ShardRange shards, long generation)
    {
        long phase = Volatile.Read(ref _phase);
        CompletedSteps completed;
        lock (_completedLock)
        {
            completed = _completed;
        }

        double batchNorm = Volatile.Read(ref _batchNormSeconds), push = Volatile.Read(ref _pushSeconds), pull = Volatile.Read(ref _pullSeconds);
        return new WorkerStatus(
            name,
            shards.First,
            shards.End,
            Step,
            Volatile.Read(ref _samples),
            Math.Max(0, Volatile.Read(ref _trainSeconds) - batchNorm - push - pull),
            batchNorm,
            push,
            pull)
        {
            EvaluatedSamples = Volatile.Read(ref _evaluated),
            Generation = generation,
            Phase = (WorkerPhase)(phase & ((1 << PhaseBits) - 1)),
            PhaseSeconds = Stopwatch.GetElapsedTime(phase >> PhaseBits).TotalSeconds,
            Completed = completed,
        };
    }

    private static long Word(WorkerPhase phase, long since) => (since << PhaseBits) | (long)phase;

    private static void Add(ref double seconds, long start, long end) =>
        Volatile.Write(ref seconds, seconds + Stopwatch.GetElapsedTime(start, end).TotalSeconds);
}
