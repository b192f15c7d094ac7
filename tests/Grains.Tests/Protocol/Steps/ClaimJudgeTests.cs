using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Steps;

public class ClaimJudgeTests
{
    /// <summary>Worker and number of its bits; bits 9 are not finite.</summary>
    [Theory]
    [InlineData("a0 b1", null)]
    [InlineData("a0 a1", "a")]
    [InlineData("a9 b0", "a")]
    [InlineData("a0 b9", "b")]
    [InlineData("a0 b1 c0", "b")]
    [InlineData("a0 b1 c1", "a")]
    [InlineData("a0 b1 c2", null)]
    [InlineData("a0 b1 b0", "b")]
    [InlineData("a0 b1 c0 d1", null)]
    public void The_wrong_one_contradicts_itself_or_is_not_finite_or_is_alone(string claims, string? wrong)
    {
        RootClaim[] made = [.. claims.Split(' ').Select(claim => new RootClaim(claim[..1], claim[1] - '0', claim[1] != '9'))];
        Assert.Equal(wrong, ClaimJudge.FindWrong(made));
    }
}
