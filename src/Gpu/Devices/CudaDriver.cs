using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// The driver's library. ILGPU asks for "cuda", which .NET turns into libcuda.so; that name comes with the development kit alone, while a machine with
/// a driver has libcuda.so.1.
/// </summary>
internal static unsafe class CudaDriver
{
    private static readonly string[] Places =
    [
        "libcuda.so.1", "libcuda.so", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1",
        "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/lib/libcuda.so.1", "/usr/local/cuda/compat/libcuda.so.1", "nvcuda.dll",
    ];

    private static readonly Lazy<(nint Library, string? Place)> Found = new(Find);

    /// <summary>Where the driver was found, or null.</summary>
    public static string? Place => Found.Value.Place;

    /// <summary>Lets ILGPU find the driver, if there is one. Call it before anything of ILGPU's CUDA side.</summary>
    public static void Load() => _ = Found.Value;

    /// <summary>Why no device can be used, in a sentence without its end; null if there are some.</summary>
    public static string? Problem()
    {
        (nint library, string? place) = Found.Value;
        if (place is null)
        {
            return $"no NVIDIA driver is installed: none of {string.Join(", ", Places)} can be loaded";
        }

        int code = ((delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuInit"))(0);
        if (code != 0)
        {
            return $"the driver {place} does not start: cuInit gives {code} ({Meaning(code)})";
        }

        int count = 0;
        code = ((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDeviceGetCount"))(&count);
        return code == 0 && count > 0 ? null : $"the driver {place} lists {count} devices (cuDeviceGetCount gives {code})";
    }

    /// <summary>The newest CUDA that the driver knows, as "13.0"; null without a driver.</summary>
    public static string? Version()
    {
        (nint library, string? place) = Found.Value;
        if (place is null)
        {
            return null;
        }

        int version = 0;
        int code = ((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDriverGetVersion"))(&version);
        return code == 0 ? $"{version / 1000}.{version % 1000 / 10}" : null;
    }

    private static (nint Library, string? Place) Find()
    {
        foreach (string place in Places)
        {
            if (NativeLibrary.TryLoad(place, out nint library))
            {
                NativeLibrary.SetDllImportResolver(
                    typeof(CudaDevice).Assembly, (name, _, _) => name is "cuda" or "nvcuda" or "libcuda" ? library : 0);
                return (library, place);
            }
        }

        return (0, null);
    }

    private static string Meaning(int code) => code switch
    {
        100 => "no device is visible to this process",
        803 => "driver and kernel module have different versions",
        804 => "the driver does not support this hardware with a compatibility library",
        _ => "see the CUDA driver's error codes",
    };
}
