using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Monitor;

/// <summary>
/// Asks a cluster what it is doing, a few times a second, and goes on asking when it does not answer: after some seconds through a new
/// connection. Only the job that is open is asked for its past.
/// </summary>
/// <param name="connection">Disposed of with this.</param>
/// <param name="connect">Makes another one.</param>
internal sealed class ClusterWatch(ClusterConnection connection, Func<Task<ClusterConnection>> connect, TimeProvider clock) : IAsyncDisposable
{
    private static readonly TimeSpan Cycle = TimeSpan.FromMilliseconds(250);

    /// <summary>Jobs that are over seldom change.</summary>
    private static readonly TimeSpan LiveInterval = TimeSpan.FromSeconds(1), EndedInterval = TimeSpan.FromSeconds(5), SiloInterval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), ShownBack = TimeSpan.FromSeconds(5);

    /// <summary>Questions that are in flight together, and questions of one cycle for the past of the open job.</summary>
    private const int MostAtOnce = 16, MostReads = 8;

    private readonly Dictionary<string, JobStatus> _known = [];
    private readonly HashSet<string> _silent = [];
    private readonly Dictionary<string, TimeSpan> _dueAt = [];
    private readonly Dictionary<(string Job, string Worker), WorkerMeter> _meters = [];
    private readonly long _start = clock.GetTimestamp();
    private ClusterConnection? _connection = connection;
    private string[] _ids = [];
    private ClusterSilo[] _silos = [];
    private TimeSpan _listAt;
    private TimeSpan _silosAt;
    private TimeSpan _answeredAt;
    private TimeSpan? _backAt;
    private Trouble? _trouble;
    private (string Id, JobHistory History)? _open;
    private volatile string? _openJob;
    private volatile ClusterPicture _picture = ClusterPicture.Empty;

    /// <summary>The newest.</summary>
    public ClusterPicture Picture => _picture;

    /// <summary>The job whose past is wanted; null: none.</summary>
    public string? OpenJob
    {
        get => _openJob;
        set => _openJob = value;
    }

    private TimeSpan Now => clock.GetElapsedTime(_start);

    /// <summary>Asks until it is cancelled.</summary>
    /// <param name="changed">Called after each cycle.</param>
    public async Task RunAsync(Action changed, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await AskAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            changed();
            await Task.Delay(Cycle, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One cycle.</summary>
    public async Task AskAsync(CancellationToken cancellation)
    {
        try
        {
            ClusterConnection cluster = _connection ??= await ConnectAsync(cancellation);
            await AskAsync(cluster, cancellation);
            if (_trouble is not null)
            {
                (_trouble, _backAt) = (null, Now);
            }
        }
        catch (Exception e) when (e is ConvNetException || GrainFailure.IsLostContact(e))
        {
            string what = e is ConvNetException ? e.Message.TrimEnd('.') : GrainFailure.Contact(e);
            _trouble = new Trouble(what, _trouble?.Since ?? clock.GetLocalNow());
            (_listAt, _silosAt) = (TimeSpan.Zero, TimeSpan.Zero);
            _dueAt.Clear();
            if (Now - _answeredAt >= Patience)
            {
                await DisconnectAsync();
            }
        }

        Publish();
    }

    public ValueTask DisposeAsync() => new(DisconnectAsync());

    private async Task<ClusterConnection> ConnectAsync(CancellationToken cancellation)
    {
        Task<ClusterConnection> connecting = connect();
        try
        {
            ClusterConnection made = await connecting.WaitAsync(cancellation);
            _answeredAt = Now;
            return made;
        }
        catch (OperationCanceledException)
        {
            _ = connecting.ContinueWith(late => late.Result.DisposeAsync(), TaskContinuationOptions.OnlyOnRanToCompletion);
            throw;
        }
    }

    private async Task DisconnectAsync()
    {
        if (_connection is { } lost)
        {
            _connection = null;
            await lost.DisposeAsync();
        }
    }

    private async Task AskAsync(ClusterConnection cluster, CancellationToken cancellation)
    {
        if (Now >= _listAt)
        {
            _ids = await cluster.Jobs.ListAsync().WaitAsync(cancellation);
            (_answeredAt, _listAt) = (Now, Now + LiveInterval);
            Forget();
        }

        if (Now >= _silosAt)
        {
            _silos = await cluster.Silos.SilosAsync().WaitAsync(cancellation);
            _silosAt = Now + SiloInterval;
        }

        string? open = _openJob;
        if (_open?.Id != open)
        {
            _open = open is null || !_ids.Contains(open) ? null : (open, new JobHistory());
        }

        foreach (string[] some in _ids.Where(id => id != open && Now >= _dueAt.GetValueOrDefault(id)).Chunk(MostAtOnce))
        {
            await Task.WhenAll(some.Select(id => AskAsync(cluster, id, new StatusQuery(), cancellation)));
        }

        if (_open is { } opened)
        {
            await ReadAsync(cluster, opened.Id, opened.History, cancellation);
        }
    }

    /// <summary>Asks the open job for what is new, and for its past piece by piece.</summary>
    private async Task ReadAsync(ClusterConnection cluster, string id, JobHistory history, CancellationToken cancellation)
    {
        for (int i = 0; i < MostReads; i++)
        {
            if (await AskAsync(cluster, id, history.Query, cancellation) is not { } status)
            {
                return;
            }

            history.Take(status);
            if (!status.HasMore || status.Rows.Length == 0)
            {
                return;
            }
        }
    }

    private async Task<JobStatus?> AskAsync(ClusterConnection cluster, string id, StatusQuery query, CancellationToken cancellation)
    {
        try
        {
            JobStatus status = await cluster.Job(id).StatusAsync(query).WaitAsync(cancellation);
            lock (_known)
            {
                _known[id] = status with { Rows = [], Events = [] };
                _silent.Remove(id);
                _dueAt[id] = Now + (status.HasEnded ? EndedInterval : LiveInterval);
            }

            return status;
        }
        catch (Exception e) when (e is ConvNetException || GrainFailure.IsLostContact(e))
        {
            lock (_known)
            {
                _silent.Add(id);
                _dueAt[id] = Now + LiveInterval;
            }

            return null;
        }
    }

    /// <summary>What the cluster does not know any more.</summary>
    private void Forget()
    {
        foreach (string gone in _known.Keys.Concat(_silent).Except(_ids).ToList())
        {
            _known.Remove(gone);
            _silent.Remove(gone);
            _dueAt.Remove(gone);
        }

        // When the cluster was away, it may be another one now, with another job of this name.
        if (_open is { } open && (_trouble is not null || !_ids.Contains(open.Id)))
        {
            _open = null;
        }
    }

    private void Publish()
    {
        JobStatus[] jobs = [.. _ids.Select(id => _known.GetValueOrDefault(id)).OfType<JobStatus>()];
        var paces = new Dictionary<(string, string), WorkerPace>();
        foreach (JobStatus job in jobs.Where(job => !job.HasEnded))
        {
            foreach (WorkerStatus worker in job.Workers)
            {
                (string, string) key = (job.JobId, worker.Name);
                if (!_meters.TryGetValue(key, out WorkerMeter? meter))
                {
                    _meters[key] = meter = new WorkerMeter();
                }

                paces[key] = meter.Take(worker, Now.TotalSeconds);
            }
        }

        foreach ((string, string) gone in _meters.Keys.Except(paces.Keys).ToList())
        {
            _meters.Remove(gone);
        }

        _picture = new ClusterPicture(
            jobs,
            [.. _ids.Where(_silent.Contains)],
            _silos,
            paces,
            _open?.Id,
            _open?.History.Curves ?? JobCurves.Empty,
            _trouble,
            Now - _backAt < ShownBack);
    }
}
