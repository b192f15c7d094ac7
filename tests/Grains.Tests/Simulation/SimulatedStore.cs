using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Keeps the record of the job, by compare-and-set: only who knows the last write may replace it.</summary>
internal sealed class SimulatedStore(Host host)
{
    private readonly HashSet<long> _generations = [];
    private (int Author, long Revision, int ETag, LifeRecord Record) _last = (0, 0, 0, new LifeRecord());
    private (int Author, long Revision, int ETag, LifeRecord Record)? _before;
    private int _lastETag;

    public Host Host => host;

    /// <summary>What the job begins with.</summary>
    public LifeRecord Record => _last.Record;

    public int ETag => _last.ETag;

    /// <summary>It answers nobody.</summary>
    public bool IsDown { get; set; }

    /// <summary>Writes that were refused, as another grain has written.</summary>
    public int Refused { get; private set; }

    /// <summary>The generation was in the record at some time.</summary>
    public bool HasKept(long generation) => _generations.Contains(generation);

    /// <param name="eTag">What the writer has read or written last.</param>
    /// <returns>Null: no answer; −1: another grain leads the job; else the new ETag.</returns>
    public int? Write(int author, int eTag, long revision, LifeRecord record)
    {
        if (IsDown)
        {
            return null;
        }

        // Who finds another ETag than it knows reads the record, and goes on if it is its own.
        if (author != _last.Author && eTag != ETag)
        {
            Refused++;
            return -1;
        }

        // A write that was told again may come after the one that followed it.
        if (author != _last.Author || revision > _last.Revision)
        {
            _before = _last;
            _last = (author, revision, ++_lastETag, record);
            _generations.Add(record.Generation);
        }

        return ETag;
    }

    /// <summary>It has told that the last write is kept, and comes back without it.</summary>
    /// <returns>False if there is none that it could lose: nobody is left who would give the job orders after its end.</returns>
    public bool LoseLastWrite()
    {
        if (_before is not { } before || (_last.Record.Releasing is null && _last.Record.State.IsEnd()))
        {
            return false;
        }

        (_last, _before) = (before, null);
        return true;
    }
}
