namespace ConvNet.Silo;

/// <summary>What a silo finds when it looks for its row in the membership table.</summary>
internal enum MembershipReading
{
    Present,

    /// <summary>The store answers and holds no table of the cluster.</summary>
    NoTable,

    /// <summary>The store holds a table, in which other silos may stand, but not this row.</summary>
    OtherTable,

    NoAnswer,
}
