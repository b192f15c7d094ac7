using ConvNet.Engine.Data;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using SkiaSharp;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>The same real images as CIFAR-10 files and as a folder of PNG and JPEG files train resnet20.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class DataFormatTests(OneSilo cluster) : IDisposable
{
    private const int TrainImages = 60;
    private const int TestImages = 20;
    private const int Side = 32;

    private static readonly Dataset Mini = DataCatalog.Open(DatasetFiles.DefaultName);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cifar_files_train_resnet20()
    {
        WriteCifar("data_batch_1.bin", Mini.Train, TrainImages);
        WriteCifar("test_batch.bin", Mini.Test, TestImages);

        Dataset data = DataCatalog.Open(_folder.Path);

        Assert.Equal(new Shape(3, Side, Side), data.Shape);
        Assert.Equal(Mini.Train.Labels[..TrainImages].ToArray(), data.Train.Labels.ToArray());
        await TrainsAsync(data);
    }

    [Fact]
    public async Task Image_folders_train_resnet20()
    {
        WriteImages("train", Mini.Train, TrainImages);
        WriteImages("test", Mini.Test, TestImages);

        Dataset data = DataCatalog.Open(_folder.Path);

        Assert.Equal(new Shape(1, 28, 28), data.Shape);
        Assert.Equal(TrainImages, data.Train.Count);
        await TrainsAsync(data);
    }

    private async Task TrainsAsync(Dataset data)
    {
        ModelSpec model = ModelFile.Load("resnet20");
        JobSpec job = TestJobs.Job(model, batch: 20, steps: 2) with
        {
            Data = new DataReference(_folder.Path, null, data.Sha256),
            Adapter = InputAdapter.For(data, model.Input),
            TrainSamples = data.Train.Count,
            TestSamples = data.Test.Count,
        };
        string hash = await TestJobs.HashAsync(cluster.Grains, job, workers: 2);
        Assert.Equal(hash, await TestJobs.HashAsync(cluster.Grains, job, workers: 1, threads: 2));
    }

    /// <summary>Records of one label byte and 3 × 32 × 32 pixels; the grey image in the middle of all three channels.</summary>
    private void WriteCifar(string name, ImageSet set, int count)
    {
        using var stream = File.Create(Path.Combine(_folder.Path, name));
        for (int n = 0; n < count; n++)
        {
            byte[] record = new byte[1 + 3 * Side * Side];
            record[0] = (byte)set.Labels[n];
            for (int i = 0; i < set.Shape.Area; i++)
            {
                int pixel = (i / 28 + 2) * Side + i % 28 + 2;
                record[1 + pixel] = record[1 + Side * Side + pixel] = record[1 + 2 * Side * Side + pixel] = set.Image(n)[i];
            }

            stream.Write(record);
        }
    }

    /// <summary>One folder per class; every third image is a JPEG.</summary>
    private void WriteImages(string part, ImageSet set, int count)
    {
        for (int n = 0; n < count; n++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder.Path, part, $"class-{set.Labels[n]}")).FullName;
            using var bitmap = new SKBitmap(new SKImageInfo(28, 28, SKColorType.Gray8));
            set.Image(n).CopyTo(bitmap.GetPixelSpan());
            bool jpeg = n % 3 == 0;
            using SKData encoded = bitmap.Encode(jpeg ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, 95);
            File.WriteAllBytes(Path.Combine(folder, $"{n:000}.{(jpeg ? "jpg" : "png")}"), encoded.ToArray());
        }
    }
}
