namespace ConvNet.Client.Monitor;

/// <summary>What a key means in the monitor.</summary>
internal enum MonitorKey
{
    Up,
    Down,
    First,
    Last,
    Open,
    Back,
    NextPane,
    PreviousPane,
    Quit,
}
