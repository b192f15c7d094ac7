using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Keeps the record of the job, by compare-and-set: only who knows the last write may replace it.</summary>
internal sealed class SimulatedStore
{
    private int _author;
    private long _revision;

    /// <summary>What the job begins with.</summary>
    public LifeRecord Record { get; private set; } = new();

    /// <summary>Grows with each write.</summary>
    public int ETag { get; private set; }

    /// <summary>It answers nobody.</summary>
    public bool IsDown { get; set; }

    /// <summary>Writes that were refused, as another grain has written.</summary>
    public int Refused { get; private set; }

    /// <param name="eTag">What the writer has read.</param>
    /// <returns>Null: no answer; false: another grain leads the job.</returns>
    public bool? Write(int author, int eTag, long revision, LifeRecord record)
    {
        if (IsDown)
        {
            return null;
        }

        if (author != _author && eTag != ETag)
        {
            Refused++;
            return false;
        }

        // A write that was told again may come after the one that followed it.
        if (author != _author || revision > _revision)
        {
            ETag++;
            (_author, _revision, Record) = (author, revision, record);
        }

        return true;
    }
}
