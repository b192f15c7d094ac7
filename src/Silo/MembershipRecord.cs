namespace ConvNet.Silo;

/// <summary>
/// What a silo concludes from readings of its row in the membership table. A store that came back empty takes the row with it, and Orleans does not
/// write it again: the silos that are there go on together, but whoever comes next founds a second cluster beside them.
/// </summary>
/// <param name="patience">How long the store may be silent before the silo counts as cut off from it.</param>
internal sealed class MembershipRecord(TimeSpan patience)
{
    private TimeSpan _answered;
    private int _missing;
    private int _replaced;

    /// <summary>Whether two readings in a row have found no row, and none has found it since.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether others have begun the cluster anew without this silo, which then has to end.</summary>
    public bool IsReplaced => _replaced >= 2;

    /// <summary>Whether the store has not answered for too long.</summary>
    public bool IsCutOff { get; private set; }

    /// <param name="now">On any clock that never goes back.</param>
    /// <returns>Whether <see cref="IsLost"/> is another than before.</returns>
    public bool Observe(MembershipReading reading, TimeSpan now)
    {
        if (reading == MembershipReading.NoAnswer)
        {
            IsCutOff = now - _answered > patience;
            return false;
        }

        (_answered, IsCutOff) = (now, false);
        _missing = reading == MembershipReading.Present ? 0 : _missing + 1;
        _replaced = reading == MembershipReading.OtherTable ? _replaced + 1 : 0;
        bool wasLost = IsLost;
        IsLost = _missing >= 2;
        return IsLost != wasLost;
    }
}
