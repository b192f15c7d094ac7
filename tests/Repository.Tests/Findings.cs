using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>What breaks a rule, one sentence for each place.</summary>
internal static class Findings
{
    /// <summary>Fails with all of them, not only with the first few.</summary>
    public static void AssertNone(IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        Assert.True(all.Length == 0, $"{all.Length} finding(s):\n{string.Join('\n', all)}");
    }
}
