using System.Threading.Channels;

namespace ConvNet.Client.Monitor;

/// <summary>The keys that somebody presses. One that comes while many wait is dropped.</summary>
internal sealed class MonitorKeys
{
    private readonly Channel<MonitorKey> _pressed = Channel.CreateBounded<MonitorKey>(
        new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Reads keys until there are none any more: the terminal is closed. A thread of its own waits, since no wait for a key can be ended.</summary>
    /// <param name="readKey">Waits for a key.</param>
    public static MonitorKeys Read(Func<ConsoleKeyInfo> readKey)
    {
        var keys = new MonitorKeys();
        new Thread(() => keys.ReadAll(readKey)) { IsBackground = true, Name = "keys" }.Start();
        return keys;
    }

    /// <summary>Ends when a key is there.</summary>
    public Task WaitAsync(CancellationToken cancellation) => _pressed.Reader.WaitToReadAsync(cancellation).AsTask();

    public bool TryTake(out MonitorKey key) => _pressed.Reader.TryRead(out key);

    /// <returns>Null if the key means nothing.</returns>
    internal static MonitorKey? Of(ConsoleKeyInfo key) => key switch
    {
        { Key: ConsoleKey.UpArrow } or { KeyChar: 'k' } => MonitorKey.Up,
        { Key: ConsoleKey.DownArrow } or { KeyChar: 'j' } => MonitorKey.Down,
        { Key: ConsoleKey.Home } or { KeyChar: 'g' } => MonitorKey.First,
        { Key: ConsoleKey.End } or { KeyChar: 'G' } => MonitorKey.Last,
        { Key: ConsoleKey.Enter or ConsoleKey.RightArrow } or { KeyChar: 'l' or '\r' or '\n' } => MonitorKey.Open,
        { Key: ConsoleKey.Escape or ConsoleKey.LeftArrow or ConsoleKey.Backspace } or { KeyChar: 'h' } => MonitorKey.Back,
        { Key: ConsoleKey.Tab, Modifiers: ConsoleModifiers.Shift } => MonitorKey.PreviousPane,
        { Key: ConsoleKey.Tab } or { KeyChar: '\t' } => MonitorKey.NextPane,
        { KeyChar: 'q' or 'Q' } => MonitorKey.Quit,
        _ => null,
    };

    private void ReadAll(Func<ConsoleKeyInfo> readKey)
    {
        try
        {
            while (true)
            {
                if (Of(readKey()) is { } key)
                {
                    _pressed.Writer.TryWrite(key);
                }
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // Nobody can press a key any more. The hang-up that ends the command comes as a signal.
        }
    }
}
