using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class RunSessionTests
{
    [Fact]
    public async Task A_run_that_cannot_be_written_any_more_ends_with_one_error_and_leaves_what_it_has_written()
    {
        using var temporary = new TemporaryFolder();
        RunFolder folder = RunFolder.Create(temporary["run"]);
        var noting = new NotingSink();

        int code = await new RunSession(folder, Request(folder)).RunAsync([new BrokenSink(), noting]);

        Assert.Equal(3, code);
        Assert.Single(noting.Seen, "Failed");
        Assert.Equal("Failed", noting.Seen[^1]);
        Assert.Contains("no room.", File.ReadLines(folder.EventsPath).Last());
        Assert.True(File.Exists(folder.MetricsPath));
    }

    [Fact]
    public async Task A_job_that_does_not_begin_leaves_no_folder()
    {
        using var temporary = new TemporaryFolder();
        RunFolder folder = RunFolder.Create(temporary["run"]);
        RunRequest request = Request(folder);
        request = request with { Spec = request.Spec with { Data = request.Spec.Data with { NameOrPath = "/none", Sha256 = "00" } } };
        var noting = new NotingSink();

        int code = await new RunSession(folder, request).RunAsync([noting]);

        Assert.Equal(3, code);
        Assert.Equal(["Started", "Failed"], noting.Seen);
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary.Path, "*", SearchOption.AllDirectories));
    }

    private static RunRequest Request(RunFolder folder)
    {
        var configuration = new TrainConfiguration();
        configuration.Layout.Workers = 1;
        configuration.Layout.Threads = 1;
        JobSpec spec = JobFactory.Create(
            configuration, ModelFile.Load("lenet"), DataCatalog.Open(configuration.Data.Path, null, null, null));
        return new RunRequest("run-1", folder.FullPath, configuration, spec, null, 0, null, null);
    }

    /// <summary>Fails with the first step, and again when it is closed, as a file on a full disk does.</summary>
    private sealed class BrokenSink : RunSink
    {
        private bool _isBroken;

        public override void Handle(RunEvent happened)
        {
            _isBroken |= happened is RunEvent.StepsCommitted;
            Break();
        }

        protected override void Dispose(bool disposing) => Break();

        private void Break()
        {
            if (_isBroken)
            {
                throw new IOException("no room");
            }
        }
    }
}
