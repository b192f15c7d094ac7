using System.Buffers.Binary;
using System.IO.Compression;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public sealed class IdxDatasetTests : IDisposable
{
    private const string Images = "train-images-idx3-ubyte";
    private const string Labels = "train-labels-idx1-ubyte";
    private readonly TemporaryFolder _folder = new();

    public IdxDatasetTests()
    {
        _folder.Write(Images, Header(3, 4, 2, 3), [.. Enumerable.Range(0, 24).Select(i => (byte)i)]);
        _folder.Write(Labels, Header(1, 4), [0, 9, 3, 1]);
        _folder.Write("t10k-images-idx3-ubyte.gz", Gzip([.. Header(3, 1, 2, 3), 9, 8, 7, 6, 5, 4]));
        _folder.Write("t10k-labels-idx1-ubyte.gz", Gzip([.. Header(1, 1), 7]));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plain_and_gzip_files_give_their_pixels_and_labels()
    {
        Dataset data = DatasetFiles.Open(_folder.Path);
        Assert.Equal(new Shape(1, 2, 3), data.Shape);
        Assert.Equal(10, data.ClassCount);
        Assert.Equal([6, 7, 8, 9, 10, 11], data.Train.Image(1).ToArray());
        Assert.Equal([0, 9, 3, 1], data.Train.Labels.ToArray());
        Assert.Equal([9, 8, 7, 6, 5, 4], data.Test.Image(0).ToArray());
        Assert.Equal([7], data.Test.Labels.ToArray());
    }

    [Theory]
    [InlineData("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte")]
    [InlineData(
        "emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte", "emnist-letters-test-images-idx3-ubyte",
        "emnist-letters-test-labels-idx1-ubyte")]
    public void Other_spellings_are_read_and_labels_decide_the_classes(params string[] names)
    {
        using var folder = new TemporaryFolder();
        folder.Write(names[0], Header(3, 2, 1, 2), [1, 2, 3, 4]);
        folder.Write(names[1], Header(1, 2), [26, 1]);
        folder.Write(names[2], Header(3, 1, 1, 2), [5, 6]);
        folder.Write(names[3], Header(1, 1), [3]);
        Dataset data = DatasetFiles.Open(folder.Path);
        Assert.Equal(27, data.ClassCount);
        Assert.Equal([26, 1], data.Train.Labels.ToArray());
        Assert.Equal([5, 6], data.Test.Image(0).ToArray());
    }

    [Fact]
    public void Copies_are_counted_and_a_second_data_set_is_refused()
    {
        _folder.Write(Images + ".gz", Gzip([1, 2, 3]));
        _folder.Write("train-images-idx3-ubyte (1)", [1]);
        _folder.Write("Copy of train-labels-idx1-ubyte", [1]);
        Assert.Equal(
            [
                "2 files are ignored (no name of an IDX file): Copy of train-labels-idx1-ubyte, train-images-idx3-ubyte (1)",
                "1 file is ignored (train-images-idx3-ubyte is there): train-images-idx3-ubyte.gz",
            ],
            DatasetFiles.Open(_folder.Path).Remarks);
        _folder.Write("train-images.idx3-ubyte", [1]);
        Refused("train-images.idx3-ubyte", "Keep one of them");
        _folder.Write("emnist-digits-test-images-idx3-ubyte", [1]);
        Refused("has 2 IDX data sets", "emnist-digits-train-images");
    }

    [Fact]
    public void Normalization_is_computed_over_the_training_set()
    {
        Dataset data = DatasetFiles.Open(_folder.Path);
        double mean = Enumerable.Range(0, 24).Average(i => i / 255.0);
        double variance = Enumerable.Range(0, 24).Average(i => ((i / 255.0) - mean) * ((i / 255.0) - mean));
        Assert.Equal(mean, data.Mean[0], 1e-15);
        Assert.Equal(Math.Sqrt(variance), data.Std[0], 1e-15);
    }

    [Fact]
    public void The_hash_depends_on_every_pixel_and_label()
    {
        string before = DatasetFiles.Open(_folder.Path).Sha256;
        Assert.Matches("^[0-9a-f]{64}$", before);
        Assert.Equal(before, DatasetFiles.Open(_folder.Path).Sha256);
        _folder.Write(Labels, Header(1, 4), [0, 9, 3, 2]);
        string label = DatasetFiles.Open(_folder.Path).Sha256;
        _folder.Write(Images, Header(3, 4, 2, 3), [.. Enumerable.Range(0, 23).Select(i => (byte)i), 255]);
        string pixel = DatasetFiles.Open(_folder.Path).Sha256;
        Assert.Equal(3, new[] { before, label, pixel }.Distinct().Count());
    }

    [Fact]
    public void An_empty_or_tiny_file_is_refused()
    {
        _folder.Write(Images);
        Refused(Images, "has only 0 bytes");
        _folder.Write(Images, [0, 0, 8]);
        Refused(Images, "has only 3 bytes");
        _folder.Write(Images, [0, 0, 8, 3, 0, 0, 0, 4, 0]);
        Refused(Images, "ends at byte 9, within the header of 16 bytes");
    }

    [Fact]
    public void A_foreign_magic_number_is_refused_with_a_hint()
    {
        _folder.Write(Images, [0x03, 0x08, 0, 0], new byte[100]);
        Refused(Images, "starts with 03080000 at byte 0", "little-endian");
        _folder.Write(Images, "<html>.................."u8.ToArray());
        Refused(Images, "starts with 3c68746d", "something else");
        _folder.Write(Images, [0, 0, 0x0A, 3], new byte[100]);
        Refused(Images, "type code at byte 2 is 0x0a");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    public void Another_number_of_sizes_is_refused(byte count)
    {
        _folder.Write(Images, [0, 0, 8, count], new byte[2000]);
        Refused(Images, $"announces {count} sizes instead of 3");
    }

    [Fact]
    public void Sizes_that_are_zero_or_overflow_are_refused()
    {
        _folder.Write(Images, Header(3, 4, 0, 3));
        Refused(Images, "size 1 (byte 8) is 0");
        _folder.Write(Images, Header(3, uint.MaxValue, uint.MaxValue, uint.MaxValue), new byte[10]);
        Refused(Images, "4294967295 x 4294967295 x 4294967295");
    }

    [Fact]
    public void Missing_and_trailing_bytes_are_refused_with_their_number()
    {
        _folder.Write(Images, Header(3, 4, 2, 3), new byte[18]);
        Refused(Images, "4 x 2 x 3 = 24 bytes", "only 18 follow", "6 are missing");
        _folder.Write(Images, Header(3, 4, 2, 3), new byte[25]);
        Refused(Images, "1 bytes follow");
    }

    [Fact]
    public void Missing_and_trailing_bytes_within_gzip_are_refused()
    {
        const string Test = "t10k-images-idx3-ubyte.gz";
        _folder.Write(Test, Gzip([.. Header(3, 1, 2, 3), 1, 2]));
        Refused(Test, "1 x 2 x 3 = 6 bytes", "says at its end that it holds 2");
        _folder.Write(Test, Gzip([.. Header(3, 1, 2, 3), .. new byte[7]]));
        Refused(Test, "1 x 2 x 3 = 6 bytes", "says at its end that it holds 7");
        byte[] whole = Gzip([.. Header(3, 1, 20, 30), .. RandomBytes(600)]);
        _folder.Write(Test, whole[..^200]);
        Refused(Test, "");
        whole[^100] ^= 0x55;
        _folder.Write(Test, whole);
        Refused(Test, "gzip stream is damaged");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(599)]
    public void A_gzip_file_without_its_true_end_is_refused_although_all_pixels_are_there(int random)
    {
        const string Test = "t10k-images-idx3-ubyte.gz";
        byte[] whole = Gzip([.. Header(3, 1, 20, 30), .. RandomBytes(random), .. new byte[600 - random]]);
        _folder.Write(Test, whole);
        _ = IdxFile.Read(_folder[Test], 3);
        _folder.Write(Test, whole[..^8]);
        Refused(Test, "");
        _folder.Write(Test, whole[..^8], whole[^4..]);
        Refused(Test, "");
        _folder.Write(Test, whole, [0]);
        Refused(Test, "");
        _folder.Write(Test, whole, whole);
        Refused(Test, "");
        byte[] wrong = [.. whole];
        wrong[^8] ^= 1;
        _folder.Write(Test, wrong);
        Refused(Test, "");
    }

    [Fact]
    public void A_gzip_file_that_lies_at_both_ends_takes_memory_for_what_it_holds()
    {
        const string Test = "t10k-images-idx3-ubyte.gz";
        byte[] lie = Gzip([.. Header(3, 60000, 100, 100), .. RandomBytes(600_000)]);
        BinaryPrimitives.WriteUInt32LittleEndian(lie.AsSpan(lie.Length - 4), 600_000_016);
        _folder.Write(Test, lie);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(Test, "gzip stream is damaged");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
    }

    [Fact]
    public void Data_that_outgrows_the_first_buffer_is_read_whole()
    {
        byte[] pixels = new byte[9_000_000];
        RandomBytes(9_000).CopyTo(pixels, 8_000_000);
        _folder.Write("big.gz", Gzip([.. Header(3, 9, 1000, 1000), .. pixels]));
        Assert.Equal(pixels, IdxFile.Read(_folder["big.gz"], 3).Data);
    }

    [Fact]
    public void A_gzip_bomb_stops_at_the_size_that_the_header_implies()
    {
        const string Test = "t10k-images-idx3-ubyte.gz";
        _folder.Write(Test, Gzip([.. Header(3, 1, 2, 3), .. new byte[50_000_000]]));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(Test, "says at its end that it holds 50000000");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
        _folder.Write(Test, Gzip(Header(3, 60000, 100, 100)));
        Refused(Test, "600000000 bytes of data, but the gzip file", "holds 0");
    }

    [Fact]
    public void Counts_that_differ_are_refused()
    {
        _folder.Write(Labels, Header(1, 3), [0, 1, 2]);
        Refused(Images, "4 images", "3 labels");
    }

    [Fact]
    public void A_label_without_a_name_is_refused_with_its_place()
    {
        _folder.Write(Labels, Header(1, 4), [0, 1, 10, 2]);
        ConvNetException error = Assert.Throws<ConvNetException>(() => IdxDataset.Read(_folder.Path, [], [.. Enumerable.Repeat("x", 10)]));
        Assert.Contains("label 10 at byte 10 (image 2). Labels must lie in 0 … 9", error.Message);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        File.Delete(_folder[Labels]);
        Refused(Labels, "neither", "nor");
    }

    [Fact]
    public void Other_test_shapes_are_refused()
    {
        _folder.Write("t10k-images-idx3-ubyte.gz", Gzip([.. Header(3, 1, 3, 2), 9, 8, 7, 6, 5, 4]));
        Refused("", "1x2x3", "1x3x2");
    }

    private void Refused(string file, params string[] parts)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DatasetFiles.Open(_folder.Path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(file, error.Message);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    private static byte[] Header(byte dimensions, params uint[] sizes)
    {
        byte[] header = new byte[4 + (4 * sizes.Length)];
        header[2] = 8;
        header[3] = dimensions;
        for (int i = 0; i < sizes.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + (4 * i)), sizes[i]);
        }

        return header;
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
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
}
