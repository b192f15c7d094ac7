using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>The last decision: who has not taken it yet, and what is needed to tell it again to servers that miss it because the workers change.</summary>
/// <param name="partitions">What the partitions reported before the decision; null: it was made by another coordinator.</param>
/// <param name="servers">Of the job: all that must take it.</param>
internal sealed class DecidedStep(StepOutcome outcome, PartitionReport?[]? partitions, UInt128? batchNorm, int[] servers)
{
    private readonly HashSet<int> _notTaken = [.. servers];
    private readonly HashSet<int> _missing = [];
    private bool _runsAgain;
    private bool _hasReport;
    private bool _wasToldAgain;
    private bool _asks;

    public StepOutcome Outcome { get; } = outcome;

    public StepDecision Decision => Outcome.Decision;

    /// <summary>What the batch norms reported before the decision; null: it was made by another coordinator.</summary>
    public UInt128? BatchNorm { get; } = batchNorm;

    /// <summary>True when every server has taken the decision.</summary>
    public bool IsCommitted => _notTaken.Count == 0;

    /// <summary>A server has taken the decision.</summary>
    public void NoteTaken(int server) => _notTaken.Remove(server);

    public void NoteAllTaken() => _notTaken.Clear();

    /// <summary>What a partition reported before the decision, or null if that is not known.</summary>
    public PartitionReport? ReportOf(int partition) => partitions?[partition];

    /// <summary>These are not known to have taken it, and nobody else: they are to be asked at once.</summary>
    public void AskAgain(IEnumerable<int> servers)
    {
        _notTaken.Clear();
        _notTaken.UnionWith(servers);
        _asks = _notTaken.Count > 0;
    }

    /// <summary>A generation of so many workers runs the step again, for the sake of servers that have not taken the decision.</summary>
    public void RunAgain(int workers)
    {
        _runsAgain = true;
        _hasReport = false;
        _wasToldAgain = false;
        _missing.Clear();
        _missing.UnionWith(Enumerable.Range(0, workers));
    }

    /// <summary>A worker has reported the step again.</summary>
    public void NoteWorker(int worker) => _missing.Remove(worker);

    /// <summary>A server has reported the step again, so it must have missed the decision, also if it was told again before.</summary>
    public void NoteServer()
    {
        _hasReport = true;
        _wasToldAgain = false;
    }

    /// <summary>
    /// True if the decision is to be told again now: once all workers are through, because only then is it certain that none of their
    /// messages contradicts another, and somebody has missed it. Once for each server that reports: acknowledgements on their way are no
    /// reason to tell everybody anew.
    /// </summary>
    /// <param name="reports">False for a server that has nothing to sum and never reports.</param>
    public bool TakeTellingAgain(Func<int, bool> reports)
    {
        // Who has not made the decision does not know who misses it.
        bool mayBeMissed = _hasReport || partitions is null || !_notTaken.Any(reports);
        bool due = _runsAgain && !_wasToldAgain && !IsCommitted && _missing.Count == 0 && mayBeMissed;
        _wasToldAgain |= due;
        bool asks = _asks;
        _asks = false;
        return due || asks;
    }
}
