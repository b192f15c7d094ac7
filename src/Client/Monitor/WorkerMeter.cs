using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Monitor;

/// <summary>
/// Turns the sums that a worker tells into its pace of the last seconds, or of the last step where a step takes longer. Before a second look there
/// is only the mean since the worker's beginning.
/// </summary>
internal sealed class WorkerMeter
{
    private const double Window = 5;

    private readonly Queue<(double At, WorkerStatus Status)> _seen = [];
    private (double At, WorkerStatus Status) _last;

    /// <param name="now">Seconds of any clock.</param>
    public WorkerPace Take(WorkerStatus status, double now)
    {
        if (_seen.Count > 0 && status.Samples < _last.Status.Samples)
        {
            // Taken up by another job, or begun anew.
            _seen.Clear();
        }

        if (_seen.Count == 0 || status.Samples != _last.Status.Samples)
        {
            _last = (now, status);
            _seen.Enqueue(_last);
        }

        while (_seen.Count > 2 && _last.At - _seen.Peek().At > Window)
        {
            _seen.Dequeue();
        }

        (double begin, WorkerStatus first) = _seen.Peek();
        if (_seen.Count == 1)
        {
            return PaceOf(new WorkerStatus("", 0, 0, 0, 0, 0, 0, 0, 0), status, SecondsOf(status));
        }

        double span = _last.At - begin, silence = now - _last.At;
        return PaceOf(first, _last.Status, silence > Window + span ? now - begin : span);
    }

    private static double SecondsOf(WorkerStatus status) =>
        status.ComputeSeconds + status.BatchNormSeconds + status.PushSeconds + status.PullSeconds;

    private static WorkerPace PaceOf(WorkerStatus first, WorkerStatus last, double seconds)
    {
        double busy = SecondsOf(last) - SecondsOf(first);
        double Share(Func<WorkerStatus, double> part) => busy > 0 ? Math.Clamp((part(last) - part(first)) / busy, 0, 1) : 0;
        return new WorkerPace(
            seconds > 0 ? (last.Samples - first.Samples) / seconds : 0,
            Share(worker => worker.ComputeSeconds),
            Share(worker => worker.BatchNormSeconds),
            Share(worker => worker.PushSeconds),
            Share(worker => worker.PullSeconds));
    }
}
