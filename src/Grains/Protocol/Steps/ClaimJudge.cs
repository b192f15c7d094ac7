using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>Decides who has computed wrongly when the same sums were computed with different bits. Pure.</summary>
internal static class ClaimJudge
{
    /// <returns>
    /// The worker that contradicts itself; or the one whose values are not finite while another's are; or the first that differs from what at least two
    /// workers agree on. Null: nobody can tell before one more worker has computed them.
    /// </returns>
    public static string? FindWrong(IReadOnlyList<RootClaim> claims)
    {
        if (claims.GroupBy(claim => claim.Worker).FirstOrDefault(own => own.Select(claim => claim.Bits).Distinct().Count() > 1) is { } contradicts)
        {
            return contradicts.Key;
        }

        if (claims.Any(claim => claim.IsFinite) && claims.Any(claim => !claim.IsFinite))
        {
            return claims.First(claim => !claim.IsFinite).Worker;
        }

        int[] agreed = [.. claims.Distinct().CountBy(claim => claim.Bits).Where(bits => bits.Value > 1).Select(bits => bits.Key)];
        return agreed.Length == 1 ? claims.First(claim => claim.Bits != agreed[0]).Worker : null;
    }
}
