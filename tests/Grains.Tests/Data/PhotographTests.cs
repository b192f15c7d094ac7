using ConvNet.Engine.Data;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Tests.Cluster;
using SkiaSharp;
using Xunit;

namespace ConvNet.Grains.Tests.Data;

/// <summary>A folder of pictures of many sizes, tall, wide and tiny, in colour and grey, as JPEG, PNG and WebP.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class PhotographTests : IDisposable
{
    private const string Size = "32x32";
    private readonly OneSilo _cluster;
    private readonly TemporaryFolder _folder = new();

    public PhotographTests(OneSilo cluster)
    {
        _cluster = cluster;
        var random = new Random(1);
        for (int i = 0; i < 32; i++)
        {
            string extension = ((string[])["jpg", "png", "webp"])[i % 3];
            _folder.Write(
                $"{(i < 24 ? "train" : "test")}/{(i % 2 == 0 ? "day" : "night")}/{i:00}.{extension}",
                Photograph(random.Next(3, 300), random.Next(3, 300), isGrey: i % 5 == 0, extension, random));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_data_are_the_same_for_any_number_of_decoding_threads()
    {
        string once = DataCatalog.Open(_folder.Path, Size).Sha256;

        foreach (int threads in (int[])[1, 2, 3, 7, 16])
        {
            var options = new ImageOptions(new Size(32, 32), Threads: threads);
            (ImageSet train, ImageSet test) = ImageFolder.ReadBoth(_folder.Path, options, [], mostFaults: 1);
            Assert.Equal(once, new Dataset("photographs", train, test).Sha256);
        }
    }

    [Fact]
    public async Task Photographs_of_many_sizes_train_resnet20()
    {
        Dataset data = DataCatalog.Open(_folder.Path, Size);
        Assert.Equal(new Shape(3, 32, 32), data.Shape);
        ModelSpec model = ModelFile.Load("resnet20");
        JobSpec job = TestJobs.Job(model, batch: 8, steps: 2) with
        {
            Data = new DataReference(_folder.Path, Size, data.Sha256),
            Adapter = InputAdapter.For(data, model.Input),
            TrainSamples = data.Train.Count,
            TestSamples = data.Test.Count,
        };

        string hash = await TestJobs.HashAsync(_cluster.Grains, job, workers: 2);

        Assert.Equal(hash, await TestJobs.HashAsync(_cluster.Grains, job, workers: 1, threads: 2));
    }

    /// <summary>A sky over hills, with grain.</summary>
    private static byte[] Photograph(int width, int height, bool isGrey, string extension, Random random)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, isGrey ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        double light = random.NextDouble();
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                bool isSky = y < (height / 2) + (height / 5.0 * Math.Sin(x * 9.0 / width));
                double shade = (isSky ? 220.0 - (90.0 * y / height) : 40.0 + (80.0 * y / height)) * (0.4 + (0.6 * light));
                bitmap.SetPixel(x, y, new SKColor(Level(shade), Level(shade * 0.9), Level(isSky ? shade * 1.2 : shade * 0.5)));
            }
        }

        return DrawnImages.Encode(bitmap, extension switch
        {
            "jpg" => SKEncodedImageFormat.Jpeg,
            "png" => SKEncodedImageFormat.Png,
            _ => SKEncodedImageFormat.Webp,
        });

        byte Level(double value) => (byte)Math.Clamp(value + random.Next(-9, 10), 0, 255);
    }
}
