using System.ComponentModel;
using System.Diagnostics;
using Xunit;

namespace ConvNet.Repository.Tests;

/// <summary>The unit by which a service manager runs a silo, and brings it back.</summary>
public sealed class ServiceUnitTests : IDisposable
{
    private const string Unit = "packaging/convnet-silo.service", Program = "/usr/bin/dotnet";

    /// <summary>With which a silo ends that the cluster has declared dead.</summary>
    private const string Fenced = "4";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("convnet-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_unit_of_a_silo_has_nothing_that_systemd_complains_of() =>
        Assert.Equal((0, ""), await VerifyAsync(SourceTree.Read(Unit)));

    [Fact]
    public async Task A_setting_that_systemd_does_not_know_would_be_found()
    {
        (_, string complaint) = await VerifyAsync(SourceTree.Read(Unit).Replace("Restart=", "Restrat=", StringComparison.Ordinal));
        Assert.Contains("Restrat", complaint);
    }

    [Fact]
    public void A_silo_that_was_fenced_out_is_brought_back()
    {
        Assert.Equal(["on-failure"], Values("Restart"));
        Assert.DoesNotContain(Fenced, Values("RestartPreventExitStatus"));
        Assert.DoesNotContain(Fenced, Values("SuccessExitStatus"));
    }

    private static string[] Values(string setting)
    {
        string line = Assert.Single(SourceTree.Read(Unit).Split('\n'), line => line.StartsWith($"{setting}=", StringComparison.Ordinal));
        return line[(setting.Length + 1)..].Split(' ');
    }

    /// <summary>Has systemd check a unit; .NET is elsewhere on some machines, and only that there is a program is checked of it.</summary>
    private async Task<(int Code, string Output)> VerifyAsync(string unit)
    {
        string path = Path.Combine(_folder.FullName, Path.GetFileName(Unit));
        Assert.Contains($"ExecStart={Program} ", unit);
        await File.WriteAllTextAsync(path, unit.Replace(Program, "/bin/true", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Process verify;
        try
        {
            verify = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception)
        {
            Assert.Skip("systemd-analyze is not there: install systemd.");
            throw;
        }

        using (verify)
        {
            Task<string> output = verify.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            string error = await verify.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await verify.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (verify.ExitCode, await output + error);
        }
    }
}
