namespace ConvNet.Grains.Contracts.Jobs;

/// <param name="Lost">Keys of workers.</param>
/// <param name="Joined">Keys of workers.</param>
/// <param name="Reason">For people.</param>
/// <param name="NoticedSeconds">The longest time from the last sign of life of a lost worker until the job knew; 0 if none is lost.</param>
/// <param name="IsMoved">Another silo leads the job, which is worth to be told also if nobody came or went.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.MembersChange")]
public sealed record MembersChange(
    [property: Id(0)] string[] Lost,
    [property: Id(1)] string[] Joined,
    [property: Id(2)] string Reason,
    [property: Id(3)] double NoticedSeconds,
    [property: Id(4)] bool IsMoved = false)
{
    /// <summary>Nobody is lost and nobody has joined: who came has gone again.</summary>
    public bool IsEmpty => !IsMoved && Lost.Length == 0 && Joined.Length == 0;

    /// <summary>Both changes in one, when the earlier one has led to no committed step.</summary>
    public MembersChange Then(MembersChange later)
    {
        return new MembersChange(
            [.. Lost, .. later.Lost.Except(Joined)],
            [.. Joined.Except(later.Lost), .. later.Joined],
            $"{Reason}; {later.Reason}",
            Math.Max(NoticedSeconds, later.NoticedSeconds),
            IsMoved || later.IsMoved);
    }
}
