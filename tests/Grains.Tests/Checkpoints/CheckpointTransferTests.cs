using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Tests.Cluster;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public sealed class CheckpointTransferTests : IDisposable
{
    private readonly TemporaryFolder _silo = new();
    private readonly TemporaryFolder _client = new();
    private readonly FolderStore _store;
    private readonly CheckpointResult _saved;

    public CheckpointTransferTests()
    {
        _saved = CheckpointFolder.Save(_silo["checkpoints"], CheckpointFolderTests.Example(40));
        _store = new FolderStore(_silo["checkpoints"]);
    }

    private string Store => _client["checkpoints"];

    public void Dispose()
    {
        _silo.Dispose();
        _client.Dispose();
    }

    [Fact]
    public async Task A_fetched_checkpoint_is_the_same_byte_for_byte()
    {
        CheckpointResult? fetched = await FetchAsync();

        Assert.Equal(_saved with { Path = Path.Combine(Store, "step-00000040") }, fetched);
        Assert.Equal([fetched!.Path], Directory.GetFileSystemEntries(Store));
        Assert.All(Directory.GetFiles(_saved.Path), file =>
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(fetched.Path, Path.GetFileName(file)))));
    }

    [Fact]
    public async Task A_transfer_whose_calls_are_lost_is_carried_on()
    {
        foreach (int call in Enumerable.Range(0, 4))
        {
            _store.Losses.Enqueue(call % 2 == 0 ? new TimeoutException() : null);
        }

        Assert.Equal(_saved.StateSha256, (await FetchAsync())?.StateSha256);
        Assert.Empty(_store.Losses);
    }

    [Fact]
    public async Task A_transfer_that_is_damaged_on_the_way_is_begun_again_and_one_that_stays_damaged_leaves_nothing()
    {
        _store.Damaged = 1;
        Assert.Equal(_saved.StateSha256, (await FetchAsync())?.StateSha256);
        Directory.Delete(Store, recursive: true);

        _store.Damaged = int.MaxValue;
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(FetchAsync);

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("has arrived with SHA-256", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(Store));
    }

    [Fact]
    public async Task A_checkpoint_that_is_there_is_not_fetched_again()
    {
        await FetchAsync();
        _store.Reads = 0;

        Assert.Equal(40, (await FetchAsync())?.Step);
        Assert.Equal(0, _store.Reads);
    }

    [Fact]
    public async Task A_checkpoint_that_the_silo_has_deleted_is_none()
    {
        Assert.Null(await CheckpointTransfer.FetchAsync(_store, Contact(), 41, _client.Path, null, TestContext.Current.CancellationToken));
        _store.VanishesAfter = 1;
        Assert.Null(await FetchAsync());
        Assert.Empty(Directory.GetFileSystemEntries(Store));
    }

    [Theory]
    [InlineData("model.safetensors", "../../model")]
    [InlineData("model.safetensors", "/etc/passwd")]
    [InlineData("state.msgpack", "model.safetensors")]
    public async Task A_manifest_that_names_other_files_is_refused_before_anything_is_read(string name, string instead)
    {
        Rewrite(manifest => manifest with { Files = [.. manifest.Files.Select(file => file.Name == name ? file with { Name = instead } : file)] });

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(FetchAsync);

        Assert.Equal((ExitCode.BadInput, 0), (error.ExitCode, _store.Reads));
        Assert.False(Directory.Exists(Store));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public async Task Sizes_that_no_disk_has_are_refused_before_anything_is_read(long size)
    {
        Rewrite(manifest => manifest with { Files = [.. manifest.Files.Select(file => file with { Size = size })] });

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(FetchAsync);

        Assert.Equal((size > 0 ? ExitCode.Resources : ExitCode.BadInput, 0), (error.ExitCode, _store.Reads));
    }

    [Fact]
    public void A_checkpoint_larger_than_any_of_its_job_is_refused_before_it_takes_room()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 8, steps: 40);
        Rewrite(manifest => manifest with
        {
            Files = [.. manifest.Files.Select(file => file with { Size = CheckpointTensors.MostBytes(job, file.Name) + 1 })],
        });
        byte[] manifest = CheckpointSource.Manifest(_saved.Path)!;

        Assert.Equal(ExitCode.BadInput, Assert.Throws<ConvNetException>(() => CheckpointReceipt.Begin(Store, manifest, job)).ExitCode);
        Assert.False(Directory.Exists(Store));
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("manifest.json")]
    [InlineData("")]
    public void Only_the_files_of_a_checkpoint_can_be_read(string file) =>
        Assert.Throws<ConvNetException>(() => CheckpointSource.Read(_saved.Path, file, 0));

    [Fact]
    public void A_link_is_not_followed()
    {
        string secret = _silo.Write("secret", "secret");
        string model = Path.Combine(_saved.Path, "model.safetensors");
        File.Delete(model);
        File.CreateSymbolicLink(model, secret);

        Assert.Throws<ConvNetException>(() => CheckpointSource.Read(_saved.Path, "model.safetensors", 0));
    }

    [Fact]
    public void Pieces_are_taken_in_their_order_and_once_and_an_unfinished_receipt_leaves_nothing()
    {
        byte[] manifest = CheckpointSource.Manifest(_saved.Path)!;
        byte[] state = CheckpointSource.Read(_saved.Path, "state.msgpack", 0)!;
        using (var receipt = CheckpointReceipt.Begin(Store, manifest, null))
        {
            Assert.Throws<ConvNetException>(() => receipt.Append("state.msgpack", 1, state[1..]));
            receipt.Append("state.msgpack", 0, state[..10]);
            receipt.Append("state.msgpack", 0, state[..10]);
            Assert.Throws<ConvNetException>(() => receipt.Append("state.msgpack", 5, state[5..]));
            Assert.Throws<ConvNetException>(() => receipt.Append("state.msgpack", 10, [.. state[10..], 0]));
            Assert.Throws<ConvNetException>(() => receipt.Append("manifest.json", 0, manifest));
            Assert.Throws<ConvNetException>(() => receipt.Append("state.msgpack", 10, []));
            receipt.Append("state.msgpack", 10, state[10..]);
            Assert.Equal(state.Length, receipt.Received);
            Assert.Contains("have arrived", Assert.Throws<ConvNetException>(() => receipt.Complete()).Message);
        }

        Assert.Empty(Directory.GetFileSystemEntries(Store));
    }

    [Fact]
    public async Task A_folder_with_checkpoints_of_another_job_takes_none_and_stays_as_it_is()
    {
        Checkpoint other = CheckpointFolderTests.Example(60);
        string known = CheckpointFolder.Save(Store, other with { State = other.State with { JobJson = """{"model":"other"}""" } }).Path;

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(FetchAsync);

        Assert.Equal(ExitCode.Conflict, error.ExitCode);
        Assert.Contains($"{known} is a checkpoint of another job (model 'lenet', 100 steps)", error.Message);
        Assert.Equal([known], Directory.GetFileSystemEntries(Store));

        Directory.Delete(known, recursive: true);
        CheckpointFolder.Save(Store, CheckpointFolderTests.Example(20));
        Assert.Equal(40, (await FetchAsync())?.Step);
    }

    private static ClusterContact Contact() => new(() => "the silo", TimeProvider.System);

    private Task<CheckpointResult?> FetchAsync() => CheckpointTransfer.FetchAsync(_store, Contact(), 40, _client.Path, null);

    private void Rewrite(Func<CheckpointManifest, CheckpointManifest> change)
    {
        string path = Path.Combine(_saved.Path, "manifest.json");
        File.WriteAllBytes(path, change(CheckpointManifest.Read(path)).Serialize());
    }

    /// <summary>A store whose calls can be lost, and whose pieces can be damaged.</summary>
    private sealed class FolderStore(string store) : ICheckpointStoreGrain
    {
        public Queue<Exception?> Losses { get; } = [];

        public int Damaged { get; set; }

        public int Reads { get; set; }

        public int VanishesAfter { get; set; } = int.MaxValue;

        public Task<byte[]?> ManifestAsync(long step) => Answer(() => CheckpointSource.Manifest(FolderOf(step)));

        public Task<byte[]?> ReadAsync(long step, string file, long offset) => Answer(() =>
        {
            if (Reads++ >= VanishesAfter)
            {
                return null;
            }

            byte[]? bytes = CheckpointSource.Read(FolderOf(step), file, offset);
            if (Damaged > 0)
            {
                Damaged--;
                bytes![0] ^= 1;
            }

            return bytes;
        });

        public Task<CheckpointPlace> PrepareAsync(JobSubmission submission) => throw new NotSupportedException();

        public Task OfferAsync(byte[] manifest) => throw new NotSupportedException();

        public Task PutAsync(string file, long offset, byte[] bytes) => throw new NotSupportedException();

        public Task AcceptAsync() => throw new NotSupportedException();

        private string FolderOf(long step) => Path.Combine(store, CheckpointFolder.NameOf(step));

        private Task<byte[]?> Answer(Func<byte[]?> answer) =>
            Losses.TryDequeue(out Exception? loss) && loss is not null ? Task.FromException<byte[]?>(loss) : Task.FromResult(answer());
    }
}
