using System.Diagnostics;
using System.Runtime.Versioning;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

/// <summary>The script that starts the client and silos, with a dotnet that only says how it was started.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LauncherTests : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly TemporaryFolder _folder = new();

    public LauncherTests()
    {
        string script = _folder.Write("convnet", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "launcher", "convnet")));
        string dotnet = _folder.Write(
            "programs/dotnet",
            """
            #!/bin/bash
            if [[ "$1" == --list-runtimes ]]; then echo "Microsoft.NETCore.App 10.0.0 [/]"; exit; fi
            fds="$(for i in 0 1 2; do [[ -e /proc/$$/fd/$i ]] && echo "open=$i"; done)"
            { echo "home=${HOME:-none}"; echo "$fds"; echo "args=${*:2}"; echo "program=${1##*/}"; } > "$REPORT"
            """);
        File.SetUnixFileMode(script, Executable);
        File.SetUnixFileMode(dotnet, Executable);
        _folder.Write("src/Client/bin/Release/net10.0/convnet.dll", "");
        _folder.Write("src/Client/bin/Release/net10.0/convnet-silo.dll", "");
        File.CreateSymbolicLink(_folder["convnet-silo"], "convnet");
        foreach (string name in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json"])
        {
            _folder.Write(name, "");
        }

        File.SetLastWriteTimeUtc(_folder.Write("src/Client/obj/convnet.stamp", ""), DateTime.UtcNow.AddMinutes(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<&-")]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public async Task The_client_has_all_three_standard_streams_whichever_are_closed(string closed)
    {
        string[] report = await ReportAsync($"./convnet data list {closed}");

        Assert.Equal(["open=0", "open=1", "open=2", "args=data list", "program=convnet.dll"], report[1..]);
    }

    [Theory]
    [InlineData("env -u HOME")]
    [InlineData("env HOME=")]
    public async Task Without_a_home_the_client_is_started_with_that_of_the_user(string environment)
    {
        string[] report = await ReportAsync($"{environment} ./convnet data list");

        Assert.StartsWith("home=/", report[0]);
    }

    [Fact]
    public async Task By_its_other_name_the_script_starts_a_silo()
    {
        string[] report = await ReportAsync("./convnet-silo --name node-1");

        Assert.Equal(["args=--name node-1", "program=convnet-silo.dll"], report[^2..]);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string[]> ReportAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", command]) { WorkingDirectory = _folder.Path };
        start.Environment["REPORT"] = _folder["report"];
        start.Environment["PATH"] = $"{_folder["programs"]}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment.Remove("DOTNET_ROOT");
        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return await File.ReadAllLinesAsync(_folder["report"], TestContext.Current.CancellationToken);
    }
}
