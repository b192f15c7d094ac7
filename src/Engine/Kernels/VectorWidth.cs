using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ConvNet.Engine.Kernels;

/// <summary>
/// The one place where kernels ask how wide their vectors are. A kernel has a wide source, on vectors of 16 floats, and a narrow one, on
/// vectors of 8; both form the same sums in the same order, so their bits are equal and the choice may depend on the processor.
/// For tests and measurements the environment variable CONVNET_VECTOR_BITS forces the wide source (512) or the narrow one (256), and any
/// other value leaves the choice to the processor. Where the processor lacks vectors of 512 bits, the runtime makes each of two halves.
/// </summary>
public static class VectorWidth
{
    /// <summary>The environment variable that forces a source.</summary>
    public const string Variable = "CONVNET_VECTOR_BITS";

    /// <summary>
    /// True where kernels run their wide source. It never changes, but a method compiled before this type is ready reads it from memory:
    /// kernels ask outside of their inner loops.
    /// </summary>
    public static bool IsWide { get; } = Environment.GetEnvironmentVariable(Variable) switch
    {
        "512" => true,
        "256" => false,
        _ => Vector512.IsHardwareAccelerated,
    };

    /// <summary>
    /// True where the processor is known to compute vectors of 512 bits in halves and nothing forces a source. It loads one of them in the time
    /// of two of 256 bits, so where loads are the limit, two narrow vectors are quicker than one wide.
    /// </summary>
    public static bool IsSplit { get; } = Environment.GetEnvironmentVariable(Variable) is not ("512" or "256") && IsZen4;

    /// <summary>Bits of the vectors that the chosen source runs on: 512 or 256, or 128 where the processor has no wider ones.</summary>
    public static int Bits =>
        IsWide && Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : 128;

    /// <summary>AMD's family 25; of it only Zen 4 has vectors of 512 bits.</summary>
    private static bool IsZen4
    {
        get
        {
            if (!X86Base.IsSupported || !Vector512.IsHardwareAccelerated)
            {
                return false;
            }

            const int Enti = 0x69746e65, Auth = 0x68747541, CAmd = 0x444d4163;
            (int _, int first, int last, int middle) = X86Base.CpuId(0, 0);
            int version = X86Base.CpuId(1, 0).Eax;
            int family = (version >> 8 & 15) + (version >> 20 & 255);
            return (first, middle, last) == (Auth, Enti, CAmd) && family == 25;
        }
    }
}
