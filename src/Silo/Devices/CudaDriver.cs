using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ConvNet.Silo.Devices;

/// <summary>
/// Asks the driver of NVIDIA's cards, by its own library and by nothing else, what is there: quick where there is no driver, and without what compiles
/// kernels. Functions and codes are those of the CUDA Driver API.
/// </summary>
internal static unsafe class CudaDriver
{
    private const string Library = "libcuda.so.1";
    private const string KernelModule = "/sys/module/nvidia/version";
    private const string Cards = "/sys/bus/pci/devices";
    private const string Vendor = "0x10de", DisplayClass = "0x03";
    private const int NameLength = 256;

    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.</summary>
    private const int MajorCapability = 75, MinorCapability = 76;

    /// <summary>Whether its library is there. Without a driver this is one look into the folders of libraries.</summary>
    public static bool IsThere() => NativeLibrary.TryLoad(Library, out _);

    /// <summary>The cards that the driver shows, or why there are none, as a sentence.</summary>
    public static (IReadOnlyList<CudaCard> Cards, string? Missing) Read()
    {
        if (!NativeLibrary.TryLoad(Library, out nint library))
        {
            return ([], Card() is { } card
                ? $"this machine has an NVIDIA card ({card}), but {Library} is not found: install NVIDIA's driver, or, in a container, pass the card and its driver in."
                : $"{Library} is not found: no NVIDIA driver is installed, and no NVIDIA card is to be seen.");
        }

        try
        {
            return Read(library);
        }
        catch (EntryPointNotFoundException e)
        {
            return ([], $"{Library} is no driver that can be used: {e.Message.TrimEnd('.')}. Install a newer one.");
        }
    }

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
        byte* text;
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
