using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public sealed class CifarDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Batches_of_cifar_10_are_read_in_order()
    {
        _folder.Write("data_batch_2.bin", Record([3], 30));
        _folder.Write("data_batch_1.bin", Record([1], 10), Record([2], 20));
        _folder.Write("test_batch.bin", Record([9], 90));
        Dataset data = DatasetFiles.Open(_folder.Path);
        Assert.Equal(new Shape(3, 32, 32), data.Shape);
        Assert.Equal(10, data.ClassCount);
        Assert.Equal([1, 2, 3], data.Train.Labels.ToArray());
        Assert.Equal([9], data.Test.Labels.ToArray());
        Assert.Equal([10, 11, 12], Planes(data.Train, 0));
        Assert.Equal([30, 31, 32], Planes(data.Train, 2));
        Assert.Equal(20 / 255.0, data.Mean[0], 1e-12);
        Assert.Equal(22 / 255.0, data.Mean[2], 1e-12);
    }

    [Fact]
    public void Cifar_100_uses_the_fine_label()
    {
        _folder.Write("train.bin", Record([19, 99], 10), Record([0, 5], 20));
        _folder.Write("test.bin", Record([1, 2], 30));
        Dataset data = DatasetFiles.Open(_folder.Path);
        Assert.Equal(100, data.ClassCount);
        Assert.Equal([99, 5], data.Train.Labels.ToArray());
        Assert.Equal([30, 31, 32], Planes(data.Test, 0));
    }

    [Fact]
    public void A_length_that_is_no_multiple_of_the_record_is_refused()
    {
        _folder.Write("test_batch.bin", Record([1], 0));
        _folder.Write("data_batch_1.bin", Record([1], 0), [1, 2, 3]);
        Refused("data_batch_1.bin", "3076 bytes", "multiple of 3073", "at byte 3073");
        _folder.Write("data_batch_1.bin", Record([1, 1], 0));
        Refused("data_batch_1.bin", "fits CIFAR-100");
        _folder.Write("data_batch_1.bin");
        Refused("data_batch_1.bin", "is empty");
    }

    [Fact]
    public void A_label_out_of_range_is_refused_with_its_place()
    {
        _folder.Write("test_batch.bin", Record([1], 0));
        _folder.Write("data_batch_1.bin", Record([1], 0), Record([255], 0));
        Refused("data_batch_1.bin", "label 255 at byte 3073 (image 1)", "0 … 9");
    }

    [Fact]
    public void A_missing_test_batch_is_named()
    {
        _folder.Write("data_batch_1.bin", Record([1], 0));
        Refused("test_batch.bin", "is missing");
    }

    [Fact]
    public void Copies_and_left_overs_are_counted_and_not_mixed_in()
    {
        _folder.Write("data_batch_1.bin", Record([1], 10));
        _folder.Write("test_batch.bin", Record([9], 90));
        foreach (string name in (string[])["Copy of test_batch.bin", "test_batch (1).bin", "data_batch_1 copy.bin", "data_batch_6.bin", "._data_batch_1.bin"])
        {
            _folder.Write(name, Record([9], 90));
        }

        Dataset data = DatasetFiles.Open(_folder.Path);

        Assert.Equal([1], data.Train.Labels.ToArray());
        Assert.Equal([9], data.Test.Labels.ToArray());
        Assert.Equal(
            [
                "4 files are ignored (no name of a CIFAR file): Copy of test_batch.bin, data_batch_1 copy.bin, data_batch_6.bin, …",
                "only 1 of the 5 training batches of CIFAR-10 are there: data_batch_1.bin",
            ],
            data.Remarks);
    }

    [Fact]
    public void Files_of_both_kinds_in_one_folder_are_refused()
    {
        _folder.Write("data_batch_1.bin", Record([1], 10));
        _folder.Write("train.bin", Record([1, 1], 10));
        Refused("of CIFAR-10", "and of CIFAR-100");
    }

    [Fact]
    public void Names_of_classes_come_from_the_file_beside_the_batches()
    {
        _folder.Write("data_batch_1.bin", Record([1], 10));
        _folder.Write("test_batch.bin", Record([9], 90));
        string[] names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
        _folder.Write("batches.meta.txt", string.Join('\n', names) + "\n\n");
        Assert.Equal(names, DatasetFiles.Open(_folder.Path).ClassNames);
        _folder.Write("batches.meta.txt", "airplane\nbird\n");
        Refused("batches.meta.txt", "2 different names", "has 10");
        _folder.Write("batches.meta.txt", [(byte)'a', 0xFF]);
        Refused("batches.meta.txt is not UTF-8 at line 1, column 2");
        _folder.Write("batches.meta.txt", new byte[70_000]);
        Refused("batches.meta.txt has 70000 bytes");
    }

    private void Refused(params string[] parts)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DatasetFiles.Open(_folder.Path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    private static byte[] Record(byte[] labels, byte value) =>
        [.. labels, .. Enumerable.Range(0, 3072).Select(i => (byte)(value + (i / 1024)))];

    private static int[] Planes(ImageSet set, int index) => [set.Image(index)[0], set.Image(index)[1024], set.Image(index)[3071]];
}
