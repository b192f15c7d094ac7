using ConvNet.Client.Commands;
using ConvNet.Client.Views;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

public sealed class RunChoicesTests
{
    [Theory]
    [InlineData(true, true, typeof(JsonLines), typeof(QuietView))]
    [InlineData(true, false, typeof(JsonLines), typeof(QuietView))]
    [InlineData(false, true, typeof(LiveView))]
    [InlineData(false, false, typeof(PlainView))]
    public void A_run_is_shown_as_its_reader_can_take_it(bool json, bool isInteractive, params Type[] sinks)
    {
        var terminal = new Terminal(TextWriter.Null, TextWriter.Null, isInteractive, UsesColor: false);

        Assert.Equal(sinks, new RunChoices(null, null, null, null, null, Detach: false, json).Sinks(terminal, "a-1").Select(sink => sink.GetType()));
    }
}
