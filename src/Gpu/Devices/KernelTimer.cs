using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>Runs commands one after the other, each between two marks in the stream.</summary>
internal static class KernelTimer
{
    /// <param name="ran">Told of each command its kernel's family, the static class that holds it, or "copies", and its time.</param>
    public static void Run(IReadOnlyList<DeviceCommand> commands, AcceleratorStream stream, Action<string, TimeSpan> ran)
    {
        var marks = new ProfilingMarker?[commands.Count + 1];
        try
        {
            marks[0] = stream.AddProfilingMarker();
            for (int i = 0; i < commands.Count; i++)
            {
                commands[i].Issue(stream);
                marks[i + 1] = stream.AddProfilingMarker();
            }

            stream.Synchronize();
            for (int i = 0; i < commands.Count; i++)
            {
                ran(commands[i].Kernel?.DeclaringType!.Name ?? "copies", marks[i + 1]!.MeasureFrom(marks[i]!));
            }
        }
        finally
        {
            Array.ForEach(marks, mark => mark?.Dispose());
        }
    }
}
