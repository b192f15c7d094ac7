using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Monitor;

/// <summary>Reads the rows and events of one job with cursors, each once, and keeps what is shown of them.</summary>
internal sealed class JobHistory
{
    private const int MostEvents = 500;

    private readonly CurveLog _trainLoss = new(), _testLoss = new(), _trainAccuracy = new(), _testAccuracy = new();
    private readonly Queue<string> _sentences = [];
    private long _nextStep;
    private long _nextEvent;
    private bool _isReading = true;

    /// <summary>The next question.</summary>
    public StatusQuery Query => new(_nextStep, _nextEvent);

    public JobCurves Curves => new(
        Curve.Of(_trainLoss), Curve.Of(_testLoss), Curve.Of(_trainAccuracy), Curve.Of(_testAccuracy), [.. _sentences], _isReading);

    /// <param name="status">The answer to <see cref="Query"/>.</param>
    public void Take(JobStatus status)
    {
        foreach (StepRow row in status.Rows.Where(row => row.Step >= _nextStep))
        {
            _trainLoss.Add(row.Step, row.Loss);
            _trainAccuracy.Add(row.Step, row.Accuracy);
            _nextStep = row.Step + 1;
        }

        foreach (JobEvent happened in status.Events.Where(happened => happened.Number >= _nextEvent))
        {
            Take(happened.Event);
            _nextEvent = happened.Number + 1;
        }

        _isReading = status.HasMore && status.Rows.Length > 0;
    }

    private void Take(RunEvent happened)
    {
        if (happened is RunEvent.EpochCompleted epoch)
        {
            _testLoss.Add(epoch.Evaluation.Step, epoch.Evaluation.Loss);
            _testAccuracy.Add(epoch.Evaluation.Step, epoch.Evaluation.Accuracy);
        }

        if (SentenceOf(happened) is { } sentence)
        {
            _sentences.Enqueue(sentence);
            if (_sentences.Count > MostEvents)
            {
                _sentences.Dequeue();
            }
        }
    }

    private static string? SentenceOf(RunEvent happened) => happened switch
    {
        RunEvent.EpochCompleted epoch => Lines.EpochCompleted(epoch, int.MaxValue),
        RunEvent.CheckpointSaved saved => $"step {saved.Checkpoint.Step} is saved in {saved.Checkpoint.Path}",
        RunEvent.MembersChanged change => Lines.MembersChanged(change),
        RunEvent.Yielded yielded => Lines.Yielded(yielded),
        RunEvent.Resumed resumed => Lines.Resumed(resumed),
        RunEvent.Warning warning => $"warning: {warning.Message}",
        RunEvent.Ended ended => Lines.Ended(ended).First(),
        _ => null,
    };
}
