using ConvNet.Client.Monitor;
using Xunit;

namespace ConvNet.Client.Tests.Monitor;

public sealed class MonitorKeysTests
{
    [Fact]
    public void Arrows_letters_and_control_keys_mean_what_the_last_row_says()
    {
        Assert.Equal((int)MonitorKey.Up, Meaning(ConsoleKey.UpArrow, '\0'));
        Assert.Equal((int)MonitorKey.Up, Meaning(ConsoleKey.K, 'k'));
        Assert.Equal((int)MonitorKey.Down, Meaning(ConsoleKey.DownArrow, '\0'));
        Assert.Equal((int)MonitorKey.Down, Meaning(ConsoleKey.J, 'j'));
        Assert.Equal((int)MonitorKey.Open, Meaning(ConsoleKey.Enter, '\r'));
        Assert.Equal((int)MonitorKey.Open, Meaning(ConsoleKey.RightArrow, '\0'));
        Assert.Equal((int)MonitorKey.Back, Meaning(ConsoleKey.Escape, '\e'));
        Assert.Equal((int)MonitorKey.Back, Meaning(ConsoleKey.LeftArrow, '\0'));
        Assert.Equal((int)MonitorKey.NextPane, Meaning(ConsoleKey.Tab, '\t'));
        Assert.Equal((int)MonitorKey.PreviousPane, Meaning(ConsoleKey.Tab, '\t', shift: true));
        Assert.Equal((int)MonitorKey.Quit, Meaning(ConsoleKey.Q, 'q'));
        Assert.Equal(-1, Meaning(ConsoleKey.X, 'x'));
    }

    [Fact]
    public async Task Keys_come_in_their_order_until_the_terminal_is_closed()
    {
        var pressed = new Queue<char>("jxq");
        MonitorKeys keys = MonitorKeys.Read(() => new ConsoleKeyInfo(pressed.Dequeue(), default, false, false, false));
        var taken = new List<MonitorKey>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));

        while (taken.Count < 2)
        {
            await keys.WaitAsync(deadline.Token);
            while (keys.TryTake(out MonitorKey key))
            {
                taken.Add(key);
            }
        }

        Assert.Equal([MonitorKey.Down, MonitorKey.Quit], taken);
    }

    private static int Meaning(ConsoleKey key, char character, bool shift = false) =>
        (int?)MonitorKeys.Of(new ConsoleKeyInfo(character, key, shift, alt: false, control: false)) ?? -1;
}
