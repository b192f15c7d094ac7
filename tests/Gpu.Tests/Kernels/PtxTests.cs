using System.Reflection;
using System.Text.RegularExpressions;
using ConvNet.Gpu.Devices;
using Xunit;

namespace ConvNet.Gpu.Tests.Kernels;

/// <summary>What the driver gets to compile, which needs no GPU: it must not contain what may round otherwise, or depend on the order of threads.</summary>
public sealed partial class PtxTests
{
    public static TheoryData<string> Names => [.. KernelCatalog.All.Select(NameOf).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_kernel_rounds_each_operation_by_itself_and_needs_no_order_of_threads(string name)
    {
        string ptx = KernelDevice.PtxOf(KernelCatalog.All.Single(kernel => NameOf(kernel) == name));

        Assert.Contains(".entry", ptx);
        string[] forbidden = [.. ptx.Split('\n').Select(line => line.Trim()).Where(IsForbidden)];
        Assert.Empty(forbidden);
    }

    [Theory]
    [InlineData("add.f32 %f1, %f2, %f3;")]
    [InlineData("fma.rn.ftz.f32 %f1, %f2, %f3, %f4;")]
    [InlineData("mad.f64 %f1, %f2, %f3, %f4;")]
    [InlineData("div.approx.f32 %f1, %f2, %f3;")]
    [InlineData("atom.global.add.f32 %f1, [%rd1], %f2;")]
    [InlineData("red.global.add.f32 [%rd1], %f2;")]
    [InlineData("ld.local.f32 %f1, [%rd1];")]
    [InlineData("max.f32 %f1, %f2, %f3;")]
    public void What_must_not_stand_there_is_found(string line) => Assert.True(IsForbidden(line));

    private static string NameOf(MethodInfo kernel) => $"{kernel.DeclaringType!.FullName}.{kernel.Name}";

    private static bool IsForbidden(string line) => Forbidden().IsMatch(line);

    [GeneratedRegex(@"^(@!?%p\d+ )?((add|sub|mul|mad|fma|div|sqrt)\.f(32|64)|(min|max)\.f(32|64)|(atom|red)\.)|\.ftz|\.approx|\.local|\.full\.")]
    private static partial Regex Forbidden();
}
