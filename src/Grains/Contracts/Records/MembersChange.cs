namespace ConvNet.Grains.Contracts.Records;

/// <param name="Lost">Keys of workers.</param>
/// <param name="Joined">Keys of workers.</param>
/// <param name="Reason">For people.</param>
/// <param name="NoticedSeconds">The longest time from the last sign of life of a lost worker until the job knew; 0 if none is lost.</param>
/// <param name="HasMoved">Worth to be told although nobody came or went: shards move between those who stay, or another silo leads the job.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.MembersChange")]
public sealed record MembersChange(
    [property: Id(0)] string[] Lost,
    [property: Id(1)] string[] Joined,
    [property: Id(2)] string Reason,
    [property: Id(3)] double NoticedSeconds,
    [property: Id(4)] bool HasMoved = false)
{
    /// <summary>There is nothing to tell: who came has gone again.</summary>
    public bool IsEmpty => Lost.Length == 0 && Joined.Length == 0 && !HasMoved;

    /// <summary>Both changes in one, when the earlier one has led to no committed step.</summary>
    public MembersChange Then(MembersChange later)
    {
        if (IsEmpty)
        {
            return later;
        }

        return new MembersChange(
            [.. Lost, .. later.Lost.Except(Joined)],
            [.. Joined.Except(later.Lost), .. later.Joined],
            $"{Reason}; {later.Reason}",
            Math.Max(NoticedSeconds, later.NoticedSeconds),
            HasMoved || later.HasMoved);
    }
}
