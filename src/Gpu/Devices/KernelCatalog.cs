using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// All kernels: every public static method without a result in the namespaces below ConvNet.Gpu.Kernels. A kernel whose first parameter is an
/// <see cref="Index1D"/> computes items by themselves; any other is run in groups of threads that share memory.
/// </summary>
internal static class KernelCatalog
{
    private const string Root = "ConvNet.Gpu.Kernels";

    private static readonly HashSet<MethodInfo> Kernels =
    [
        .. from type in typeof(KernelCatalog).Assembly.GetTypes()
           where type.IsAbstract && type.IsSealed && (type.Namespace?.StartsWith(Root, StringComparison.Ordinal) ?? false)
           from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
           where method.ReturnType == typeof(void) && !method.IsGenericMethod
           select method,
    ];

    public static IReadOnlyCollection<MethodInfo> All => Kernels;

    /// <summary>Whether a kernel's items are independent, so that the device chooses how many threads form a group.</summary>
    public static bool HasItems(MethodInfo kernel) => kernel.GetParameters()[0].ParameterType == typeof(Index1D);

    /// <summary>What ILGPU compiles.</summary>
    /// <exception cref="ArgumentException">The method is no kernel of the catalog, so that no test has seen its PTX.</exception>
    public static EntryPointDescription EntryOf(MethodInfo kernel)
    {
        if (!Kernels.Contains(kernel))
        {
            throw new ArgumentException(
                $"{kernel.DeclaringType}.{kernel.Name} is not in the catalog; a kernel is a public static void method, not generic, of a static class " +
                $"in a namespace below {Root}.",
                nameof(kernel));
        }

        return HasItems(kernel)
            ? EntryPointDescription.FromImplicitlyGroupedKernel(kernel)
            : EntryPointDescription.FromExplicitlyGroupedKernel(kernel);
    }
}
