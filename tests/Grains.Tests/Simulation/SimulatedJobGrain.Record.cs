using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the simulated job grain keeps the job's record, is lost, and is followed by another one that goes on from the record.</summary>
internal sealed partial class SimulatedJobGrain
{
    private int _author;
    private int _eTag;
    private long _keptRevision = -1;
    private bool _isKeeping;
    private List<TaskCompletionSource> _keepers = [];

    /// <summary>It neither hears nor sends, and nobody has taken its place yet; or somebody has.</summary>
    public bool IsLost => _life.IsOver;

    /// <summary>Its silo is lost at once.</summary>
    public void Crash()
    {
        if (!_clients.IsOver && !IsLost)
        {
            cluster.NoteFault("the job grain is lost");
            Count($"crashed while {Phase()}");
            _life.End();
            cluster.FollowHead(random.Below(60 * cluster.Layout.Faults.LongestDelay));
        }
    }

    /// <summary>Its silo is taken for dead, and works on until it finds out that another grain leads the job.</summary>
    public void CutOff()
    {
        if (!_clients.IsOver && !IsLost)
        {
            cluster.NoteFault("the job grain is taken for lost");
            Count($"cut off while {Phase()}");
            cluster.FollowHead(random.Below(60 * cluster.Layout.Faults.LongestDelay));
        }
    }

    /// <summary>Another grain, with what the store knows; devices, and what the test wants to see, are the same.</summary>
    public SimulatedJobGrain Follow()
    {
        var next = new SimulatedJobGrain(cluster, plan, random)
        {
            _clients = _clients,
            _held = new Dictionary<string, SimulatedWorker>(_held),
            _free = _free,
            _start = _start,
            _current = _current,
            _asked = _asked,
            _author = _author + 1,
            FirstSteps = FirstSteps,
            Checkpoints = Checkpoints,
            Changes = Changes,
            _before = this,
            Released = Released,
        };
        return next;
    }

    /// <summary>Goes on with what the store knows.</summary>
    public void Recover()
    {
        _eTag = cluster.Store.ETag;
        Take(() => Machine.Recover(cluster.Store.Record, "its silo was lost", Now));
        if (cluster.Store.Record is { Releasing: null } record && record.State.IsEnd())
        {
            _clients.End();
        }

        // Who was taken on and is not in the record is reserved for the job, and can be taken on again.
        HashSet<string> members = [.. cluster.Store.Record.Members.Select(worker => worker.Name)];
        foreach (string member in members)
        {
            _held[member] = cluster.Devices[member];
        }

        foreach (SimulatedWorker worker in Alive.Where(worker => cluster.Store.Record.Releasing is null && !members.Contains(worker.Name)).ToList())
        {
            _held.Remove(worker.Name);
            if (worker.IsFresh)
            {
                Spare(worker);
            }
            else
            {
                worker.Release(new MessageHeader("job", Machine.Generation, Machine.Step));
            }
        }

        _free = new Queue<SimulatedWorker>(_free.Where(worker => !_held.ContainsKey(worker.Name)));

        Tick();
    }

    private void Spare(SimulatedWorker worker)
    {
        if (!_held.ContainsKey(worker.Name) && !_free.Contains(worker))
        {
            _free.Enqueue(worker);
        }
    }

    /// <summary>Waits until the store knows what this grain knows now.</summary>
    private async Task KeepAsync()
    {
        while (_keptRevision < Machine.Revision)
        {
            if (_isKeeping)
            {
                var kept = new TaskCompletionSource();
                _keepers.Add(kept);
                await kept.Task.ConfigureAwait(false);
                continue;
            }

            _isKeeping = true;
            long revision = Machine.Revision;
            LifeRecord record = Machine.Record();
            int? eTag = await ToStoreAsync(() => cluster.Store.Write(_author, _eTag, revision, record)).ConfigureAwait(false);
            if (eTag < 0)
            {
                // Whoever waits for this waits for ever: nothing of what it would have done is done.
                _life.End();
                if (this == cluster.Grain)
                {
                    cluster.FollowHead(0);
                }

                return;
            }

            (_keptRevision, _eTag) = (revision, eTag!.Value);
            _isKeeping = false;
            List<TaskCompletionSource> waiting = _keepers;
            _keepers = [];
            waiting.ForEach(waits => waits.SetResult());
        }
    }

    private Task<int?> ToStoreAsync(Func<int?> write) => cluster.Layout.LosesHead
        ? cluster.Network.CallAsync(_life, cluster.Store.Host, write, answer => answer is not null)
        : Task.FromResult(write());
}
