using ConvNet.Engine.Data;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public sealed class ComposedNameTests
{
    [Theory]
    [InlineData("cafe\u0301", "caf\u00E9")]
    [InlineData("A\u030A", "\u00C5")]
    [InlineData("pho\u031B\u0309", "ph\u1EDF")]
    [InlineData("a\u0323\u0302", "\u1EAD")]
    [InlineData("\u30AB\u3099", "\u30AC")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\u0438\u0306", "\u0439")]
    [InlineData("q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("plain", "plain")]
    [InlineData("\U0001F600e\u0301", "\U0001F600\u00E9")]
    public void Base_and_mark_become_one(string name, string composed)
    {
        Assert.Equal(composed, ComposedName.Of(name));
        Assert.Equal(composed, ComposedName.Of(composed));
    }
}
