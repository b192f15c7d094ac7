using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>Who works for a job, who has been lost and who waits to join since the last change of generation. Pure.</summary>
/// <param name="asked">How many workers the job asked for.</param>
/// <param name="workers">Of the first generation; shards and incarnations are dealt anew in each.</param>
/// <param name="lost">Who has been lost since then; or null.</param>
internal sealed class JobMembers(int asked, IEnumerable<AssignedWorker> workers, MembersChange? lost = null)
{
    private readonly List<AssignedWorker> _present = [.. workers];
    private readonly List<AssignedWorker> _joining = [];
    private readonly List<string> _lost = [.. lost?.Lost ?? []];
    private readonly List<string> _reasons = lost is null ? [] : [lost.Reason];
    private readonly Dictionary<string, string> _withdrawn = [];
    private double _noticedSeconds = lost?.NoticedSeconds ?? 0;
    private bool _hasMoved;

    /// <summary>Those who work on, without those who wait to join.</summary>
    public IReadOnlyList<AssignedWorker> Present => _present;

    /// <summary>Who is lost and not yet part of a change; or null.</summary>
    public MembersChange? Pending => _lost.Count == 0 ? null : new MembersChange([.. _lost], [], string.Join("; ", _reasons), _noticedSeconds);

    /// <summary>Those of the next generation.</summary>
    public IReadOnlyList<AssignedWorker> Next => [.. _present, .. _joining];

    /// <summary>The shards are to be dealt anew.</summary>
    public bool HasChanged => _lost.Count > 0 || _joining.Count > 0 || _hasMoved;

    /// <summary>Somebody works who is to leave.</summary>
    public bool HasWithdrawn => _withdrawn.Count > 0;

    /// <summary>Null unless nobody stays and nobody joins.</summary>
    public string? WhyAllLeave => HasWithdrawn && Next.All(worker => _withdrawn.ContainsKey(worker.Name))
        ? string.Join("; ", _withdrawn.Select(worker => $"{worker.Key} {worker.Value}"))
        : null;

    /// <summary>Why the members have changed, for people.</summary>
    public string Reason => string.Join("; ", [.. _reasons, .. _joining.Select(worker => $"{worker.Name} was free")]);

    /// <summary>How many workers the job would take on.</summary>
    public int Missing => asked - _present.Count - _joining.Count;

    /// <summary>A worker that waits to join is gone.</summary>
    /// <returns>False if it does not wait.</returns>
    public bool Leave(string worker) => _joining.RemoveAll(joining => joining.Name == worker) > 0;

    /// <param name="reason">A clause that follows the worker's name.</param>
    /// <param name="noticedSeconds">Since its last sign of life.</param>
    /// <returns>False if it does not work for the job (any more).</returns>
    public bool Lose(string worker, string reason, double noticedSeconds)
    {
        if (_present.RemoveAll(present => present.Name == worker) == 0)
        {
            return false;
        }

        _withdrawn.Remove(worker);
        _lost.Add(worker);
        _reasons.Add($"{worker} {reason}");
        _noticedSeconds = Math.Max(_noticedSeconds, noticedSeconds);
        return true;
    }

    /// <summary>A worker is to leave, but works on until <see cref="LetGo"/>.</summary>
    /// <param name="reason">A clause that follows the worker's name.</param>
    public void Withdraw(string worker, string reason)
    {
        if (_present.Any(present => present.Name == worker))
        {
            _withdrawn.TryAdd(worker, reason);
        }
    }

    /// <summary>Those who are to leave are lost now.</summary>
    /// <returns>Their names.</returns>
    public string[] LetGo()
    {
        KeyValuePair<string, string>[] leaving = [.. _withdrawn];
        foreach ((string worker, string reason) in leaving)
        {
            Lose(worker, reason, noticedSeconds: 0);
        }

        return [.. leaving.Select(worker => worker.Key)];
    }

    /// <summary>Every part of the work goes to the next worker.</summary>
    public void Rotate()
    {
        AssignedWorker first = _present[0];
        _present.RemoveAt(0);
        _present.Add(first);
    }

    /// <returns>False if the job has all the workers that it asked for, or this one already.</returns>
    public bool Join(AssignedWorker worker)
    {
        if (Missing <= 0 || Next.Any(present => present.Name == worker.Name))
        {
            return false;
        }

        _joining.Add(worker);
        return true;
    }

    /// <summary>Nobody comes or goes, and yet a generation is to begin: shards are to move between those who stay, or another silo leads the job.</summary>
    /// <param name="reason">A clause.</param>
    public void Move(string reason)
    {
        _hasMoved = true;
        _reasons.Add(reason);
    }

    /// <summary>A generation of <see cref="Next"/> begins.</summary>
    /// <returns>What has changed since the one before.</returns>
    public MembersChange TakeChange()
    {
        string[] joined = [.. _joining.Select(worker => worker.Name)];
        var change = new MembersChange([.. _lost], joined, Reason, _noticedSeconds, _hasMoved);
        _present.AddRange(_joining);
        _joining.Clear();
        _lost.Clear();
        _reasons.Clear();
        _noticedSeconds = 0;
        _hasMoved = false;
        return change;
    }
}
