using System.IO.Compression;
using System.Text;
using ConvNet.Engine.Data;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Tests.Checkpoints;
using ConvNet.Grains.Tests.Cluster;
using ConvNet.Grains.Tests.Data;
using SkiaSharp;
using Xunit;
using static ConvNet.Grains.Tests.Data.DrawnImages;

namespace ConvNet.Grains.Tests.Fuzzing;

public sealed class ReaderFuzzTests : IDisposable
{
    private const int Side = 8;
    private static readonly byte[] Idx = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, .. Enumerable.Range(0, 24).Select(i => (byte)i)];
    private readonly TemporaryFolder _folder = new(isInMemory: true);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task Mutated_idx_files_are_read_or_refused() => Fuzz(0.5, path => IdxFile.Read(path, 3), Idx);

    /// <summary>Their checksum is compared, so that what is read is what was written.</summary>
    [Fact]
    public Task Mutated_gzip_files_are_read_or_refused() => Fuzz(0.5, path => Assert.Equal(Idx[16..], IdxFile.Read(path, 3).Data), Gzip(Idx));

    [Fact]
    public async Task Mutated_cifar_files_are_read_or_refused()
    {
        byte[] good = [3, .. Enumerable.Range(0, 3072).Select(i => (byte)i), 9, .. new byte[3072]];
        string names = string.Join('\n', Enumerable.Range(0, 10).Select(i => $"class {i}"));
        _folder.Write("test_batch.bin", good);
        _folder.Write("batches.meta.txt", names);
        await Fuzz("data_batch_1.bin", 0.2, _ => DatasetFiles.Open(_folder.Path), good);
        _folder.Write("data_batch_1.bin", good);
        await Fuzz("batches.meta.txt", 0.2, _ => DatasetFiles.Open(_folder.Path), Encoding.UTF8.GetBytes(names));
    }

    /// <summary>Their checksums are compared, so that what is read is what was written.</summary>
    [Fact]
    public Task Mutated_png_files_are_read_or_refused()
    {
        byte[] good = Encode(Noise(Side, Side), SKEncodedImageFormat.Png);
        byte[] pixels = Decode(_folder.Write("good", good));
        return Fuzz(0.5, path => Assert.Equal(pixels, Decode(path)), good);
    }

    [Fact]
    public Task Mutated_jpeg_files_are_read_or_refused() =>
        Fuzz(0.1, path => Decode(path), Encode(Noise(Side, Side), SKEncodedImageFormat.Jpeg), PictureFiles.CmykJpeg, PictureFiles.TurnedJpeg);

    [Fact]
    public Task Mutated_other_image_files_are_read_or_refused() => Fuzz(
        0.1, path => Decode(path), PictureFiles.Webp, PictureFiles.WebpOfTwoFrames, PictureFiles.Bmp, PictureFiles.GifWithKey, PictureFiles.PalettePngWithKey);

    [Fact]
    public Task Mutated_safetensors_files_are_read_or_refused() => Fuzz(0.3, path => SafetensorsFile.Read(path), OfCheckpoint(CheckpointFolder.ModelFile));

    [Fact]
    public Task Mutated_states_of_checkpoints_are_read_or_refused() => Fuzz(0.3, path => CheckpointState.Read(path), OfCheckpoint(CheckpointFolder.StateFile));

    [Fact]
    public Task Mutated_manifests_are_read_or_refused() => Fuzz(0.9, path => CheckpointManifest.Read(path), OfCheckpoint(CheckpointFolder.ManifestFile));

    [Fact]
    public Task Mutated_model_files_are_read_or_refused() => Fuzz(
        0.5,
        path => _ = new Model(ModelFile.Load(path), BatchNormMode.Sync),
        Encoding.UTF8.GetBytes(ModelFile.Write(ModelFile.Load("resnet20"))),
        Encoding.UTF8.GetBytes(ModelFile.Write(ModelFile.Load("lenet"))));

    [Fact]
    public Task Mutated_descriptions_of_jobs_are_read_or_refused() => Fuzz(
        0.5,
        path => JobSpec.FromJson(Encoding.UTF8.GetString(File.ReadAllBytes(path))),
        Encoding.UTF8.GetBytes(TestJobs.Job("lenet", batch: 20, steps: 2).ToJson()));

    private static byte[] Decode(string path)
    {
        byte[] pixels = new byte[3 * Side * Side];
        ImageDecoder.ReadHeader(path);
        ImageDecoder.Decode(path, new Shape(3, Side, Side), pixels);
        return pixels;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return memory.ToArray();
    }

    private byte[] OfCheckpoint(string file) =>
        File.ReadAllBytes(Path.Combine(CheckpointFolder.Save(_folder.Path, CheckpointFolderTests.Example(40, completed: true)).Path, file));

    private Task Fuzz(double leastRefused, Action<string> read, params byte[][] good) => Fuzz("mutant", leastRefused, read, good);

    private async Task Fuzz(string name, double leastRefused, Action<string> read, params byte[][] good)
    {
        double refused = await Mutations.RefusedAsync(good, mutant => read(_folder.Write(name, mutant)));
        Assert.True(refused >= leastRefused, $"only {refused:P0} were refused: the mutations are too tame.");
    }
}
