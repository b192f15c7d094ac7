using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Shows ILGPU the driver. It asks for "cuda", which .NET turns into libcuda.so; that name comes with the development kit alone, while a machine with
/// a driver has libcuda.so.1.
/// </summary>
internal static class CudaLibrary
{
    private static readonly Lazy<bool> Shown = new(Show);

    /// <summary>Call it before anything of ILGPU's CUDA side.</summary>
    public static void Load() => _ = Shown.Value;

    private static bool Show()
    {
        NativeLibrary.SetDllImportResolver(
            typeof(CudaDevice).Assembly, (name, _, _) => name is "cuda" or "nvcuda" or "libcuda" ? CudaDriver.Library : 0);
        return CudaDriver.IsThere;
    }
}
