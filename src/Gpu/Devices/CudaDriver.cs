using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Asks the driver of NVIDIA's cards, by its own library and by nothing else, what is there: quick where there is no driver, and nothing of ILGPU is
/// loaded for it. Functions and codes are those of the CUDA Driver API.
/// </summary>
public static unsafe class CudaDriver
{
    private const string Name = "libcuda.so.1";
    private const string KernelModule = "/sys/module/nvidia/version";
    private const string Cards = "/sys/bus/pci/devices";
    private const string Vendor = "0x10de", DisplayClass = "0x03";
    private const int NameLength = 256, LogLength = 4096;

    /// <summary>CU_JIT_ERROR_LOG_BUFFER and its size.</summary>
    private const int ErrorLog = 5, ErrorLogSize = 6;

    private static readonly string[] Places =
    [
        Name, "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1",
        "/usr/local/cuda/compat/libcuda.so.1",
    ];

    private static readonly Lazy<nint> Found = new(Find);

    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.</summary>
    private const int MajorCapability = 75, MinorCapability = 76;

    /// <summary>Whether its library is there.</summary>
    public static bool IsThere => Library != 0;

    /// <summary>The driver's library, or 0 without one: then this has been a look into a few folders.</summary>
    internal static nint Library => Found.Value;

    /// <summary>A function of the driver that every driver has which ILGPU can use.</summary>
    internal static nint Function(string name) => NativeLibrary.GetExport(Library, name);

    /// <summary>The cards that the driver shows, or why there are none, as a sentence.</summary>
    public static (IReadOnlyList<CudaCard> Cards, string? Missing) Read()
    {
        if (!IsThere)
        {
            return ([], Card() is { } card
                ? $"this machine has an NVIDIA card ({card}), but {Name} is not found: install NVIDIA's driver, or pass card and driver into the container."
                : $"{Name} is not found: no NVIDIA driver is installed, and no NVIDIA card is to be seen.");
        }

        try
        {
            return Read(Library);
        }
        catch (EntryPointNotFoundException e)
        {
            return ([], $"{Name} is no driver that can be used: {e.Message.TrimEnd('.')}. Install a newer one.");
        }
    }

    /// <summary>What the driver's compiler says of a module that it refuses; a context must be current on this thread.</summary>
    internal static string CompilerLog(string ptx)
    {
        byte* log = stackalloc byte[LogLength];
        *log = 0;
        int* options = stackalloc int[] { ErrorLog, ErrorLogSize };
        nint* values = stackalloc nint[] { (nint)log, LogLength };
        nint text = Marshal.StringToCoTaskMemUTF8(ptx);
        try
        {
            nint module;
            nint function = NativeLibrary.GetExport(Library, "cuModuleLoadDataEx");
            _ = ((delegate* unmanaged<nint*, nint, uint, int*, nint*, int>)function)(&module, text, 2, options, values);
            return Marshal.PtrToStringUTF8((nint)log)!.Trim();
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    private static nint Find() => Places.Select(place => NativeLibrary.TryLoad(place, out nint library) ? library : 0).FirstOrDefault(library => library != 0);

    private static (IReadOnlyList<CudaCard> Cards, string? Missing) Read(nint library)
    {
        int code = ((delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuInit"))(0);
        if (code != 0)
        {
            return ([], $"the driver does not start: cuInit ended with {code} ({Text(library, code)}). Is there a card, and may this user open /dev/nvidia*?");
        }

        int count;
        code = ((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDeviceGetCount"))(&count);
        if (code != 0 || count == 0)
        {
            return ([], code == 0 ? "the driver shows no card; look at CUDA_VISIBLE_DEVICES." : $"the driver counts no cards: {code} ({Text(library, code)}).");
        }

        string driver = Version(library);
        return ([.. Enumerable.Range(0, count).Select(index => Read(library, index, driver))], null);
    }

    private static CudaCard Read(nint library, int index, string driver)
    {
        int device;
        nuint bytes;
        byte* name = stackalloc byte[NameLength];
        Demand(library, ((delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(library, "cuDeviceGet"))(&device, index));
        Demand(library, ((delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetName"))(name, NameLength, device));
        Demand(library, ((delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(library, "cuDeviceTotalMem_v2"))(&bytes, device));
        string capability = $"{Attribute(library, MajorCapability, device)}.{Attribute(library, MinorCapability, device)}";
        return new CudaCard(index, Marshal.PtrToStringUTF8((nint)name)!, (long)bytes, capability, driver);
    }

    private static int Attribute(nint library, int attribute, int device)
    {
        int value;
        Demand(library, ((delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetAttribute"))(&value, attribute, device));
        return value;
    }

    /// <summary>Of the kernel's module, where it says so, and the CUDA that the library speaks.</summary>
    private static string Version(nint library)
    {
        int version;
        Demand(library, ((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDriverGetVersion"))(&version));
        string cuda = string.Create(CultureInfo.InvariantCulture, $"CUDA {version / 1000}.{version % 1000 / 10}");
        return File.Exists(KernelModule) ? $"{File.ReadAllText(KernelModule).Trim()}, {cuda}" : cuda;
    }

    private static string Text(nint library, int code)
    {
        byte* text = null;
        bool isKnown = NativeLibrary.TryGetExport(library, "cuGetErrorString", out nint function)
            && ((delegate* unmanaged<int, byte**, int>)function)(code, &text) == 0;
        return isKnown ? Marshal.PtrToStringUTF8((nint)text) ?? "unknown" : "unknown";
    }

    private static void Demand(nint library, int code)
    {
        if (code != 0)
        {
            throw new InvalidOperationException($"the CUDA driver answered {code} ({Text(library, code)}) to a question about a card.");
        }
    }

    /// <summary>Where an NVIDIA card is, as PCI sees it, or null.</summary>
    private static string? Card() => !Directory.Exists(Cards) ? null : Directory.EnumerateDirectories(Cards)
        .FirstOrDefault(device => Says(device, "vendor", Vendor) && Says(device, "class", DisplayClass)) is { } found
            ? $"PCI {Path.GetFileName(found)}"
            : null;

    private static bool Says(string device, string file, string start)
    {
        string path = Path.Combine(device, file);
        return File.Exists(path) && File.ReadAllText(path, Encoding.ASCII).StartsWith(start, StringComparison.Ordinal);
    }
}
