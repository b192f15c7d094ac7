using System.Runtime.CompilerServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Training;

namespace ConvNet.Silo.Devices;

/// <summary>
/// The GPUs of this machine. What compiles kernels for them is loaded only when one is opened: the methods that touch it stand by themselves, so that
/// nothing else is compiled together with them.
/// </summary>
public static class Gpus
{
    /// <summary>An environment variable: with 1, a card is used whatever its bits are, to find out where they differ.</summary>
    private const string Unchecked = "CONVNET_GPU_UNCHECKED";

    /// <summary>The cards that the driver shows, or why there are none, as a sentence.</summary>
    public static (IReadOnlyList<CudaCard> Cards, string? Missing) Read() => CudaDriver.Read();

    /// <summary>Why a card cannot be used, as a sentence, or null if it can: opens it.</summary>
    public static string? ProblemOf(CudaCard card)
    {
        try
        {
            Open(card).Dispose();
            return null;
        }
        catch (ConvNetException e)
        {
            return e.Message;
        }
    }

    /// <summary>All GPUs that can be opened; none is no error.</summary>
    /// <param name="warn">Told, as a sentence, of each that cannot.</param>
    internal static IReadOnlyList<ComputeDevice> OpenUsable(Action<string> warn) =>
        CudaDriver.IsThere ? [.. CudaDriver.Read().Cards.Select(card => TryOpen(card, warn)).OfType<ComputeDevice>()] : [];

    /// <exception cref="ConvNetException">There is none or one of them cannot be used (exit code 7), or computes other bits than the processor (5).</exception>
    internal static IReadOnlyList<ComputeDevice> OpenAll()
    {
        (IReadOnlyList<CudaCard> cards, string? missing) = CudaDriver.Read();
        return missing is null
            ? [.. cards.Select(Open)]
            : throw new ConvNetException(ExitCode.Resources, $"there is no GPU: {missing} Or compute on the processor: --device cpu, or auto.");
    }

    /// <exception cref="ConvNetException">It is not there or cannot be used (exit code 7), or computes other bits than the processor (5).</exception>
    internal static ComputeDevice Open(int index)
    {
        (IReadOnlyList<CudaCard> cards, string? missing) = CudaDriver.Read();
        return cards.FirstOrDefault(card => card.Index == index) is { } found
            ? Open(found)
            : throw new ConvNetException(
                ExitCode.Resources,
                $"there is no gpu:{index}: {missing ?? $"this machine has {string.Join(", ", cards.Select(card => $"{card.Device} ({card.Name})"))}."} " +
                "Name another device, or compute on the processor: --device cpu, or auto.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static ComputeDevice OpenEmulated() => GpuDevice.Emulated();

    private static ComputeDevice? TryOpen(CudaCard card, Action<string> warn)
    {
        try
        {
            return Open(card);
        }
        catch (ConvNetException e)
        {
            warn($"--device auto passes over {card.Device}: {e.Message.TrimEnd('.')}.");
            return null;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GpuDevice Open(CudaCard card)
    {
        GpuDevice device = GpuDevice.Open(card.Index);
        if (Environment.GetEnvironmentVariable(Unchecked) == "1")
        {
            return device;
        }

        try
        {
            device.DemandBits();
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }
}
