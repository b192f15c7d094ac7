using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public class DatasetFilesTests
{
    [Fact]
    public void The_data_set_that_comes_with_the_program_is_found_and_whole()
    {
        Dataset data = DatasetFiles.Open("fashion-mnist-mini");
        Assert.Equal(12_000, data.Train.Count);
        Assert.Equal(2_000, data.Test.Count);
        Assert.Equal(new Shape(1, 28, 28), data.Shape);
        Assert.Equal([0.2860], data.Mean);
        Assert.Equal([0.3530], data.Std);
        Assert.Equal("Ankle boot", data.ClassNames[9]);
        Assert.Equal([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], data.Train.Labels[..10].ToArray());
        Assert.Equal([9, 2, 1, 1, 6, 1, 4, 6, 5, 7], data.Test.Labels[..10].ToArray());
        Assert.Equal("d3801637f1e141a1cd896fbd90515b1515d83cbe083ee0928b8e7c2eefcba45c", data.Sha256);
    }

    [Fact]
    public void A_path_to_the_same_files_computes_its_own_normalization()
    {
        Dataset data = DatasetFiles.Open(DatasetFiles.TryFindBuiltIn("fashion-mnist-mini")!);
        Assert.NotEqual(0.2860, data.Mean[0]);
        Assert.Equal(0.2860, data.Mean[0], 2e-3);
        Assert.Equal(0.3530, data.Std[0], 2e-3);
    }

    [Fact]
    public void Names_that_are_neither_built_in_nor_folders_are_refused()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DatasetFiles.Open("fashion-mnist-mimi"));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("fashion-mnist-mini, fashion-mnist", error.Message);
    }

    [Fact]
    public void A_file_and_a_folder_without_data_are_refused()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("something.bin", [1, 2, 3]);
        Assert.Contains("is a file", Assert.Throws<ConvNetException>(() => DatasetFiles.Open(file)).Message);
        Assert.Contains("no data set found", Assert.Throws<ConvNetException>(() => DatasetFiles.Open(folder.Path)).Message);
    }

    [Fact]
    public void Folders_of_images_go_to_the_given_decoder()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["train"]);
        Directory.CreateDirectory(folder["test"]);
        var set = new ImageSet(new Shape(1, 1, 2), [1, 2], [0], ["a"]);
        Dataset data = DatasetFiles.Open(folder.Path, (path, _) =>
        {
            Assert.Equal(folder.Path, path);
            return (set, set);
        });
        Assert.Same(set, data.Train);
    }

    [Fact]
    public void A_folder_in_a_folder_is_found_and_said()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["archive/pictures/train/ant"]);
        Directory.CreateDirectory(folder["archive/pictures/test/ant"]);
        Directory.CreateDirectory(folder["__MACOSX/archive"]);
        var set = new ImageSet(new Shape(1, 1, 2), [1, 2], [0], ["a"]);
        Dataset data = DatasetFiles.Open(folder.Path, (path, _) =>
        {
            Assert.Equal(folder["archive/pictures"], path);
            return (set, set);
        });
        Assert.Equal(["the data are in archive/pictures/"], data.Remarks);
    }

    [Fact]
    public void The_folder_of_a_run_beside_the_data_does_not_hide_them()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["pictures/train/ant"]);
        Directory.CreateDirectory(folder["run/checkpoints"]);
        List<string> remarks = [];
        Assert.Equal(folder["pictures"], DatasetFiles.FindFolder(folder.Path, remarks));
        Assert.Equal(["the data are in pictures/"], remarks);

        Directory.CreateDirectory(folder["more/train/ant"]);
        Assert.Equal(folder.Path, DatasetFiles.FindFolder(folder.Path, []));
    }

    [Fact]
    public void Two_data_sets_in_one_folder_are_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("data_batch_1.bin", new byte[3073]);
        folder.Write("test_batch.bin", new byte[3073]);
        Directory.CreateDirectory(folder["train"]);
        ConvNetException error = Assert.Throws<ConvNetException>(() => DatasetFiles.Open(folder.Path));
        Assert.Contains("CIFAR files and image folders", error.Message);
    }

    [Fact]
    public void Constant_images_are_a_warning()
    {
        var some = new ImageSet(new Shape(1, 1, 2), [1, 2, 7, 7], [0, 1], ["ant", "bee"]);
        var all = new ImageSet(new Shape(2, 1, 2), [7, 7, 9, 9], [0], ["ant", "bee"]);
        Assert.Equal(
            Enumerable.Repeat("1 of the 2 {0} images is constant, one value a channel; the first is image 1, of class bee", 2)
                .Zip(["training", "test"], (text, part) => text.Replace("{0}", part)),
            new Dataset("some", some, some).Warnings);
        Assert.Contains("every one of the 1 test images is constant", new Dataset("all", all, all).Warnings[1]);
        var sound = new ImageSet(new Shape(1, 1, 2), [1, 2], [0], ["ant"]);
        Assert.Empty(new Dataset("sound", sound, sound).Warnings);
    }

    [Fact]
    public void A_constant_channel_is_divided_by_one()
    {
        var set = new ImageSet(new Shape(1, 1, 2), [7, 7], [0], ["a"]);
        var data = new Dataset("constant", set, set);
        Assert.Equal([1.0], data.Std);
    }
}
