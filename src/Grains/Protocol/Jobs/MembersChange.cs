namespace ConvNet.Grains.Protocol.Jobs;

/// <param name="Lost">Keys of workers.</param>
/// <param name="Joined">Keys of workers.</param>
/// <param name="Reason">For people.</param>
/// <param name="NoticedSeconds">The longest time from the last sign of life of a lost worker until the job knew; 0 if none is lost.</param>
internal sealed record MembersChange(string[] Lost, string[] Joined, string Reason, double NoticedSeconds)
{
    /// <summary>Both changes in one, when the earlier one has led to no committed step.</summary>
    public MembersChange Then(MembersChange later)
    {
        string[] lost = [.. Lost.Except(Joined), .. later.Lost.Except(Joined)];
        return new MembersChange(
            [.. lost.Distinct()],
            [.. Joined.Except(later.Lost), .. later.Joined],
            $"{Reason}; {later.Reason}",
            Math.Max(NoticedSeconds, later.NoticedSeconds));
    }
}
