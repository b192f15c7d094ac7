using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Carries commands out on the processor, in an order that a card might have chosen: those aside at once, or at the end of the part, or somewhere between
/// those that follow them, another way each time. So a test sees it when the two depend on each other, or when memory is used anew before a command has run.
/// A recording repeats the commands that it was made of, not those that came later.
/// </summary>
internal sealed class EmulatedStreams(AcceleratorStream stream) : ICommandStreams
{
    private readonly Random _order = new(1);

    public AcceleratorStream Main => stream;

    public bool Records => true;

    public void Issue(IReadOnlyList<DeviceCommand> commands)
    {
        // One aside may run when all before it on the main side have: never before the end of the part, by a coin, or at once.
        int chance = _order.Next(3);
        int next = 0;
        var waiting = new Queue<DeviceCommand>();
        while (next < commands.Count || waiting.Count > 0)
        {
            if (next < commands.Count && commands[next].IsAside)
            {
                waiting.Enqueue(commands[next++]);
            }
            else if (waiting.Count > 0 && (next == commands.Count || _order.Next(2) < chance))
            {
                waiting.Dequeue().Issue(stream);
            }
            else
            {
                commands[next++].Issue(stream);
            }
        }
    }

    public IRecording Record(IReadOnlyList<DeviceCommand> commands) => new Recording(this, [.. commands]);

    /// <summary>The stream is the accelerator's own.</summary>
    public void Dispose()
    {
    }

    private sealed class Recording(EmulatedStreams streams, DeviceCommand[] commands) : IRecording
    {
        public bool TryReplay()
        {
            streams.Issue(commands);
            return true;
        }

        public void Dispose()
        {
        }
    }
}
