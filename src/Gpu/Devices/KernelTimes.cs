using System.Reflection;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>How long a device's kernels take, by their families: the static classes that hold them, and copies.</summary>
public sealed class KernelTimes
{
    private readonly Dictionary<string, (long Launches, TimeSpan Time)> _families = [];

    /// <summary>By family: launches, and their time in all.</summary>
    public IReadOnlyDictionary<string, (long Launches, TimeSpan Time)> Families => _families;

    /// <summary>Runs commands one after the other, each between two marks in the stream, and adds their times.</summary>
    internal void Measure(IReadOnlyList<DeviceCommand> commands, AcceleratorStream stream)
    {
        var marks = new ProfilingMarker[commands.Count + 1];
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
                Add(FamilyOf(commands[i].Kernel), marks[i + 1].MeasureFrom(marks[i]));
            }
        }
        finally
        {
            Array.ForEach(marks, mark => mark?.Dispose());
        }
    }

    private static string FamilyOf(MethodInfo? kernel) => kernel is null ? "copies" : kernel.DeclaringType!.Name;

    private void Add(string family, TimeSpan time)
    {
        (long launches, TimeSpan before) = _families.GetValueOrDefault(family);
        _families[family] = (launches + 1, before + time);
    }
}
