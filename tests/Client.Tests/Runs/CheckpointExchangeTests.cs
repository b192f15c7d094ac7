using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class CheckpointExchangeTests : IDisposable
{
    private static readonly RunEvent Saved = new RunEvent.CheckpointSaved(new CheckpointResult("/runs/a/checkpoints/step-00000004", 4, "aa", "bb"));

    private readonly NotingSink _sink = new();
    private readonly RunStream _run;
    private readonly CheckpointExchange _exchange;
    private readonly List<string> _asked = [];

    public CheckpointExchangeTests()
    {
        _run = new RunStream([_sink]);
        var configuration = new TrainConfiguration();
        configuration.Layout.Workers = 2;
        JobSpec spec = JobFactory.Create(configuration, ModelFile.Load("lenet"), DataCatalog.Open(configuration.Data.Path, null, null, null));
        var request = new RunRequest("job", "/runs/a", configuration, spec, null, 0, null, null);
        _exchange = new CheckpointExchange(key => new LostStore(() => _asked.Add(key)), request, new TrainingPlan(), _run);
    }

    public void Dispose()
    {
        _exchange.Dispose();
        _run.Dispose();
    }

    [Fact]
    public void A_checkpoint_is_passed_on_when_the_same_status_has_told_that_it_is_in_the_run_folder()
    {
        _exchange.Handle(Saved);
        Assert.Empty(_sink.Seen);
        Assert.False(_exchange.IsWritten);

        _exchange.Handle(At("a/job", isCache: false));

        Assert.Equal(["saved 4"], _sink.Seen);
        Assert.True(_exchange.IsWritten);
        _sink.IsFull = true;
        Assert.False(_exchange.IsWritten);
    }

    [Fact]
    public async Task A_silo_that_is_lost_with_a_checkpoint_costs_a_warning_and_the_next_one_is_fetched_from_where_it_is()
    {
        _exchange.Handle(At("a/job", isCache: true));
        _exchange.Handle(Saved);
        _exchange.Handle(At("a/job", isCache: true));
        await WrittenAsync();
        _exchange.Handle(Saved);
        _exchange.Handle(At("b/job", isCache: true));
        await WrittenAsync();

        Assert.Equal(["a/job", "b/job"], _asked);
        Assert.Equal(
            ["the checkpoint of step 4 could not be fetched: the silo is gone. The training goes on, and the next one is fetched."],
            _sink.Seen);
    }

    private async Task WrittenAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!_exchange.IsWritten)
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private static RunEvent.Progress At(string writer, bool isCache) => new(new JobStatus
    {
        JobId = "job",
        Model = "lenet",
        Data = "none",
        RunFolder = "/runs/a",
        Checkpoints = new CheckpointPlace(writer, "/cache", isCache),
    });

    /// <summary>Of a silo that is gone.</summary>
    private sealed class LostStore(Action ask) : ICheckpointStoreGrain
    {
        public Task<byte[]?> ManifestAsync(long step)
        {
            ask();
            throw new ConvNetException(ExitCode.Environment, "the silo is gone.");
        }

        public Task<CheckpointPlace> PrepareAsync(JobSubmission submission) => throw new NotSupportedException();

        public Task<byte[]?> ReadAsync(long step, string file, long offset) => throw new NotSupportedException();

        public Task OfferAsync(byte[] manifest) => throw new NotSupportedException();

        public Task PutAsync(string file, long offset, byte[] bytes) => throw new NotSupportedException();

        public Task AcceptAsync() => throw new NotSupportedException();
    }
}
