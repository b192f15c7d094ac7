using System.IO.Compression;
using System.Text;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Engine.Models;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Tests.Cluster;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>Files with a few bytes changed, cut, doubled or put in, made with a seed: each is read, or refused with a code.</summary>
public sealed class ReaderFuzzTests : IDisposable
{
    private const long MaxAllocated = 64L << 20;
    private static readonly int Mutations = Environment.GetEnvironmentVariable("CONVNET_TEST_FULL") is "1" ? 100_000 : 2_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_mutation_of_every_file_is_read_or_refused()
    {
        string checkpoint = CheckpointFolder.Save(_folder.Path, CheckpointFolderTests.Example(40, completed: true)).Path;
        byte[] idx = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, .. Enumerable.Range(0, 24).Select(i => (byte)i)];
        (byte[] Good, Action<string> Read)[] readers =
        [
            (idx, path => IdxFile.Read(path, 3)),
            (Gzip(idx), path => Assert.Equal(idx[16..], IdxFile.Read(path, 3).Data)),
            (File.ReadAllBytes(Path.Combine(checkpoint, CheckpointFolder.ModelFile)), path => SafetensorsFile.Read(path)),
            (File.ReadAllBytes(Path.Combine(checkpoint, CheckpointFolder.StateFile)), path => CheckpointState.Read(path)),
            (File.ReadAllBytes(Path.Combine(checkpoint, CheckpointFolder.ManifestFile)), path => CheckpointManifest.Read(path)),
            (Encoding.UTF8.GetBytes(ModelFile.Write(ModelFile.Load("resnet20"))), path => ModelFile.Load(path)),
            (Encoding.UTF8.GetBytes(TestJobs.Job("lenet", batch: 20, steps: 2).ToJson()),
                path => JobSpec.FromJson(Encoding.UTF8.GetString(File.ReadAllBytes(path)))),
        ];
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            (byte[] good, Action<string> read) = readers[i % readers.Length];
            string path = _folder.Write("mutant", Mutate(good, random));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(path);
            }
            catch (ConvNetException e)
            {
                Assert.NotEqual(ExitCode.Bug, e.ExitCode);
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {i} of reader {i % readers.Length}: {e}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocated);
        }

        Assert.True(refused > Mutations / 2, $"only {refused} of {Mutations} were refused: the mutations are too tame.");
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
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
