using System.Runtime.Versioning;
using ConvNet.Client.Tests.Benchmarks;
using ConvNet.Client.Tests.Commands;
using Xunit;

namespace ConvNet.Client.Tests;

/// <summary>bench/processor, which names the folder of a machine's results.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ProcessorTests
{
    [Theory]
    [InlineData("AuthenticAMD", 25, 17, "AMD EPYC 9354 32-Core Processor", "epyc-zen4-2-cores")]
    [InlineData("AuthenticAMD", 25, 160, "AMD EPYC 9754 128-Core Processor", "epyc-zen4-2-cores")]
    [InlineData("AuthenticAMD", 25, 33, "AMD Ryzen 9 5950X 16-Core Processor", "ryzen-zen3-2-cores")]
    [InlineData("GenuineIntel", 6, 143, "Intel(R) Xeon(R) Platinum 8481C", "xeon-sapphire-rapids-2-cores")]
    [InlineData("GenuineIntel", 6, 186, "13th Gen Intel(R) Core(TM) i7-1370P", "core-family6-model186-2-cores")]
    public async Task The_folder_has_family_generation_and_cores(string vendor, int family, int model, string name, string folder)
    {
        using var script = new BenchScript("processor");
        string core = $"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: {name}\n\n";
        script.Write("cpuinfo", $"processor\t: 0\n{core}processor\t: 1\n{core}");

        CommandLineRun run = await script.RunAsync(TestContext.Current.CancellationToken, script.PathOf("cpuinfo"));

        Assert.Equal((0, $"{folder}\n", ""), (run.ExitCode, run.Out, run.Error));
    }
}
