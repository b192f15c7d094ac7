using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using Xunit;

namespace ConvNet.Grains.Tests.Data;

public sealed class DataCatalogTests
{
    private const string MiniSha256 = "d3801637f1e141a1cd896fbd90515b1515d83cbe083ee0928b8e7c2eefcba45c";

    private readonly DataCatalog _catalog = new();

    [Fact]
    public async Task All_workers_of_a_silo_share_one_copy()
    {
        Dataset first = await _catalog.OpenAsync(new DataReference(DatasetFiles.DefaultName, null, MiniSha256));
        Dataset second = await _catalog.OpenAsync(new DataReference(DatasetFiles.DefaultName, null, MiniSha256));

        Assert.Same(first, second);
        Assert.NotSame(first, DataCatalog.Open(DatasetFiles.DefaultName));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(7)]
    public void Channels_that_no_image_has_are_refused_whoever_asks_for_them(int channels)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(
            () => DataCatalog.Reopen(new DataReference(DatasetFiles.DefaultName, null, MiniSha256, channels)));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains($"data.channels is {channels}; it must be 1 (grey) or 3 (colour)", error.Message);
    }

    [Fact]
    public async Task Workers_that_ask_while_it_is_read_get_the_same_copy()
    {
        var reference = new DataReference(DatasetFiles.DefaultName, null, MiniSha256);

        Dataset[] copies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _catalog.OpenAsync(reference)));

        Assert.All(copies, copy => Assert.Same(copies[0], copy));
    }

    [Fact]
    public async Task What_could_not_be_read_is_read_again_when_it_is_asked_for_again()
    {
        using var folder = new TemporaryFolder();
        var reference = new DataReference(folder["late"], null, new string('0', 64));
        Assert.Contains("late", (await Assert.ThrowsAsync<ConvNetException>(() => _catalog.OpenAsync(reference))).Message);

        foreach (string file in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png" })
        {
            folder.Write($"late/{file}", PictureFiles.RgbaPng);
        }

        Assert.Contains("the job was made with 0000", (await Assert.ThrowsAsync<ConvNetException>(() => _catalog.OpenAsync(reference))).Message);
    }

    [Fact]
    public async Task Data_of_another_hash_than_the_job_was_made_with_are_refused()
    {
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(
            () => _catalog.OpenAsync(new DataReference(DatasetFiles.DefaultName, null, new string('0', 64))));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains($"has SHA-256 {MiniSha256}, but the job was made with 0000", error.Message);
    }
}
