using System.Diagnostics;
using System.Text;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Checkpoints;
using static ConvNet.Client.Tests.BadInputs.SpoiltFiles;

namespace ConvNet.Client.Tests.BadInputs;

/// <summary>What people have given to such programs, by the kind of file.</summary>
internal static class BadInputs
{
    private const string OneTensor = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    public static IReadOnlyList<BadInput> All { get; } =
        [.. Idx(), .. Cifar(), .. Pictures(), .. Safetensors(), .. Checkpoints(), .. Settings(), .. Clusters()];

    private static IEnumerable<BadInput> Idx() =>
    [
        BadInput.Check("an empty IDX file", "has only 0 bytes", files => files.Idx([])),
        BadInput.Check("an IDX file of 3 bytes", "has only 3 bytes", files => files.Idx([0, 0, 8])),
        BadInput.Check("an IDX file written little-endian", "the file was written little-endian", files => files.Idx([3, 8, 0, 0, .. GoodImages[4..]])),
        BadInput.Check("an IDX file of shorts", "type code at byte 2 is 0x0a", files => files.Idx([0, 0, 10, 3, .. GoodImages[4..]])),
        BadInput.Check("an IDX file of no dimensions", "announces 0 sizes instead of 3", files => files.Idx([0, 0, 8, 0, .. GoodImages[4..]])),
        BadInput.Check("an IDX file of 255 dimensions", "announces 255 sizes instead of 3", files => files.Idx([0, 0, 8, 255, .. GoodImages[4..]])),
        BadInput.Check(
            "IDX sizes whose product overflows", "4294967295 x 4294967295 x 4294967295 bytes", files => files.Idx(IdxOf([~0u, ~0u, ~0u], new byte[99]))),
        BadInput.Check("an IDX file with an image too few", "16 are missing", files => files.Idx(GoodImages[..^16])),
        BadInput.Check("an IDX file with bytes at its end", "2 bytes follow the data", files => files.Idx([.. GoodImages, 1, 2])),
        BadInput.Check("fewer labels than images", "has 12 images and", files => files.Idx(labels: IdxOf([11], new byte[11]))),
        new("a label that the model does not have", 3, "has 11 classes, but model 'small' ends with 2", files =>
        [
            "train", "--out", files.Folder["out"], "--data", files.Idx(labels: IdxOf([Images], [.. new byte[Images - 1], 10])),
            "--model", files.Folder.Write("m.json", """{"name":"small","input":[1,4,4],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":2}]}"""),
        ]),
        BadInput.Check("a gzip bomb", "says at its end that it holds", files => files.Idx(Gzip([.. GoodImages, .. new byte[64 << 20]]), isGzip: true)),
        BadInput.Check(
            "a gzip file that lies at both ends",
            "says at its end that it holds 2116800000",
            files => files.Idx(GzipOfClaimedLength(IdxOf([2_700_000, 28, 28], new byte[99]), 2_116_800_016), isGzip: true)),
        BadInput.Check("a gzip file without its last 8 bytes", "cut off", files => files.Idx(Gzip(GoodImages)[..^8], isGzip: true)),
        BadInput.Check("a gzip file with bytes at its end", "cut off", files => files.Idx([.. Gzip(GoodImages), 1, 2, 3], isGzip: true)),
        BadInput.Check("a pipe as IDX file", "a pipe, a socket or a device", files => files.IdxWithPipe()),
    ];

    private static IEnumerable<BadInput> Cifar() =>
    [
        BadInput.Check("a CIFAR batch with one byte more", "3074 bytes are not a multiple of 3073", files => files.Cifar([.. CifarRecord(1)[1..], 0, 0])),
        BadInput.Check("a CIFAR-100 batch by the name of CIFAR-10", "fits CIFAR-100", files => files.Cifar(CifarRecord(1, 1))),
        BadInput.Check("a CIFAR label of 255", "label 255 at byte 0 (image 0)", files => files.Cifar(CifarRecord(255))),
        BadInput.Check("a CIFAR batch without bytes", "has only 0 bytes", files => files.Cifar()),
    ];

    private static IEnumerable<BadInput> Pictures() =>
    [
        BadInput.Check("a PNG that claims 10 gigapixels", "claims 100000x100000", files => files.Pictures("x.png", PngOfClaimedSize(100_000, 100_000))),
        BadInput.Check(
            "a PNG that claims more than its bytes", "bytes can hold; the file is cut off", files => files.Pictures("x.png", PngOfClaimedSize(8000, 8000))),
        new("half a JPEG", 3, "cannot be decoded", files => ["data", "check", "--size", "64x64", files.Pictures("x.jpg", Jpeg(64, 64)[..^400])]),
        BadInput.Check("a web page by the name of a PNG", "is no PNG, JPEG, WebP, BMP or GIF", files => files.Pictures("x.png", "<html/>"u8.ToArray())),
        BadInput.Check("a class folder without images", "has no images", files => files.Pictures("../c/x.txt", [1])),
        BadInput.Check("one class only", "has 1 class folders", files =>
        {
            string pictures = files.Pictures();
            Directory.Delete(Path.Combine(pictures, "train/b"), true);
            return pictures;
        }),
        BadInput.Check("a link to itself", "x.png: the link to x.png cannot be read", files =>
        {
            string pictures = files.Pictures();
            File.CreateSymbolicLink(Path.Combine(pictures, "train/a/x.png"), "x.png");
            return pictures;
        }),
        BadInput.Check("a class folder outside the data set", "outside the data set", files =>
        {
            string pictures = files.Pictures();
            Directory.CreateSymbolicLink(Path.Combine(pictures, "train/etc"), "/etc");
            return pictures;
        }),
        BadInput.Check(
            "a file name that steers a terminal", @"a\u{a}\u{202e}\u{1b}[31m.png: is no PNG", files => files.Pictures("a\n\u202e\e[31m.png", [1, 2, 3])),
        BadInput.Check("a pipe as image", "a pipe, a socket or a device", files =>
        {
            string pictures = files.Pictures();
            files.Pipe("pictures/train/a/x.png");
            return pictures;
        }),
    ];

    private static IEnumerable<BadInput> Safetensors() =>
    [
        BadInput.Verify("a header of 2^63 bytes", 3, "length at byte 0 is 9223372036854775808", files => files.Header("{}", claimedLength: 1UL << 63)),
        BadInput.Verify(
            "a header that is no UTF-8", 3, "not UTF-8 at byte 10",
            files => files.Write(CheckpointFolder.ModelFile, [3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 255])),
        BadInput.Verify("a header that is a list", 3, "does not start with '{'", files => files.Header("[]")),
        BadInput.Verify("a tensor twice", 3, "'a' occurs twice", files => files.Header(OneTensor[..^1] + "," + OneTensor[1..])),
        BadInput.Verify("tensors that overlap", 3, "'b' starts at 4 instead of 8, overlapping", files =>
            files.Header(OneTensor[..^1] + ""","b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12)),
        BadInput.Verify(
            "a hole before a tensor", 3, "leaving a hole", files => files.Header(OneTensor.Replace("[0,8]", "[8,16]", StringComparison.Ordinal), 16)),
        BadInput.Verify("a shape of another length", 3, "needs 12 bytes", files => files.Header(OneTensor.Replace("[2]", "[3]", StringComparison.Ordinal))),
        BadInput.Verify(
            "a shape that overflows", 3, "overflows", files => files.Header(OneTensor.Replace("[2]", "[2,9223372036854775807]", StringComparison.Ordinal))),
        BadInput.Verify("something after the last tensor", 3, "10 bytes follow the last tensor", files => files.Header(OneTensor, 18)),
        BadInput.Verify(
            "a type that is not read", 3, "has dtype F8_E4M3", files => files.Header(OneTensor.Replace("F32", "F8_E4M3", StringComparison.Ordinal))),
        BadInput.Verify("weights that are no numbers", 3, "no finite numbers", files => files.Weights(new NamedTensor("a", [1], new[] { float.NaN }))),
        new("tensors of another model", 3, "1.weight is missing; 1.bias is missing; a is unknown", files => ["eval", files.Checkpoint(Foreign)]),
        new("tensors of another model in a finished run", 3, "1.weight is missing; 1.bias is missing; a is unknown", files =>
        [
            "resume", files.Checkpoint(Foreign)
        ]),
    ];

    private static IEnumerable<BadInput> Checkpoints() =>
    [
        BadInput.Verify("a checkpoint without a manifest", 3, "manifest.json", files => File.Delete(files[CheckpointFolder.ManifestFile])),
        BadInput.Verify("a manifest of a newer program", 6, "has format version 99", files => files.Manifest(manifest => manifest with { FormatVersion = 99 })),
        BadInput.Verify("a manifest of no version", 3, "format version is -5", files => files.Manifest(manifest => manifest with { FormatVersion = -5 })),
        BadInput.Verify("a damaged optimizer file", 3, "optimizer.safetensors has SHA-256", files =>
        {
            byte[] bytes = File.ReadAllBytes(files[CheckpointFolder.OptimizerFile]);
            bytes[^1] ^= 1;
            File.WriteAllBytes(files[CheckpointFolder.OptimizerFile], bytes);
        }),
        BadInput.Verify("a pipe as optimizer file", 3, "a pipe, a socket or a device", files =>
        {
            File.Delete(files[CheckpointFolder.OptimizerFile]);
            using Process made = Process.Start("mkfifo", files[CheckpointFolder.OptimizerFile]);
            made.WaitForExit();
            files.Manifest(manifest => manifest with { Files = [.. manifest.Files.Select(file => file with { Size = file.Name[0] == 'o' ? 0 : file.Size })] });
        }),
        BadInput.Verify("a manifest that names a file elsewhere", 3, "'../../etc/passwd', which is no file of a checkpoint", files =>
            files.Manifest(manifest => manifest with { Files = [.. manifest.Files, new CheckpointFile("../../etc/passwd", 1, new string('0', 64))] })),
        BadInput.Verify("a manifest that steers a terminal", 3, @"names '\u{1b}[31m'", files =>
            files.Manifest(manifest => manifest with { Files = [.. manifest.Files, new CheckpointFile("\e[31m", 1, new string('0', 64))] })),
        new("a checkpoint that is a link to nowhere", 3, "has no whole checkpoint", files =>
        {
            string checkpoint = files.Checkpoint(_ => { });
            Directory.Delete(checkpoint, true);
            Directory.CreateSymbolicLink(checkpoint, files.Folder["nowhere"]);
            return ["resume", files.Folder["run"]];
        }),
    ];

    private static IEnumerable<BadInput> Settings() =>
    [
        BadInput.Configuration("an unknown key", ":1:1: there is no setting 'learning_rte'. Did you mean 'optimizer.learningRate'?", "learning_rte: 1\n"),
        BadInput.Configuration(
            "a learning rate of NaN", ".yaml:2:17: optimizer.learningRate must be a finite number, at least 0; got NaN.", "optimizer:\n  learningRate: NaN\n"),
        BadInput.Configuration("a negative learning rate", ".yaml:2:17: optimizer.learningRate must be", "optimizer:\n  learningRate: -1\n"),
        BadInput.Configuration(
            "a learning rate with a comma", ".yaml:2:17: optimizer.learningRate takes a number with a decimal point", "optimizer:\n  learningRate: '0,1'\n"),
        BadInput.Configuration("a learning rate of 1e400", "got a number that is far outside.", "optimizer:\n  learningRate: 1e400\n"),
        BadInput.Configuration("a batch of 0", ".yaml:1:16: train.batch must be from 1 to 1048576; got 0.", "train: {batch: 0}\n"),
        BadInput.Configuration("a batch of 2^31", ".yaml:1:16: train.batch must be from 1 to 1048576; got 2147483648.", "train: {batch: 2147483648}\n"),
        BadInput.Configuration("10^18 epochs", ".yaml:1:17: train.epochs must be from 1 to 1000000", "train: {epochs: 1000000000000000000}\n"),
        BadInput.Configuration("more workers than shards", ".yaml:1:19: layout.workers is 9: 9 workers cannot share 4", "layout: {workers: 9}\n"),
        BadInput.Configuration("a share of everything", ".yaml:2:14: data.testShare must be above 0 and below 1; got 1.", "data:\n  testShare: 1\n"),
        BadInput.Configuration("an alias", "anchors and aliases are not allowed", "model: &a lenet\ndata: *a\n"),
        BadInput.Configuration("YAML 10,000 deep", "a key must be plain text", "train: " + new string('{', 10_000)),
        BadInput.Configuration("a key twice", ":2:1: 'model' is given twice", "model: lenet\nmodel: lenet\n"),
        BadInput.Configuration("a tab as indent", ":2:1: not valid YAML: a tab", "train:\n\tbatch: 3\n"),
        BadInput.Configuration("UTF-16", "has a NUL at line 1", Encoding.Unicode.GetBytes("\ufeffmodel: lenet\n")),
        BadInput.Configuration("a NUL in a name", "'model' holds a NUL", "model: \"a\\0b\"\n"),
        BadInput.Configuration("a name that steers a terminal", @"there is no setting 'k\u{1b}[31m'", "\"k\\e[31m\": 3\n"),
        BadInput.Train("no workers", "--workers must be from 1", "--workers", "0"),
        BadInput.Train("a device as configuration", "a pipe, a socket or a device", "--config", "/dev/zero"),
        BadInput.Train("a device as model", "a pipe, a socket or a device", "--model", "/dev/zero"),
        new("a kernel larger than its input", 3, "layer '0' (conv): output height would be below 1", files =>
        [
            "model", "show",
            files.Folder.Write(
                "m.json",
                """{"name":"k","input":[1,8,8],"layers":[{"type":"conv","out":4,"kernel":31},{"type":"flatten"},{"type":"fullyConnected","out":2}]}"""),
        ]),
        new("a run folder where none can be made", 3, "the run folder '/proc/nope' cannot be made there", _ => ["train", "--out", "/proc/nope"]),
    ];

    private static IEnumerable<BadInput> Clusters() =>
    [
        BadInput.Train("a password in the URL of a cluster", "'redis://***@host:1' names a user", "--cluster", "redis://me:secret@host:1"),
        BadInput.Train("a password with slashes", "'redis://***@host:1' is no cluster URL", "--cluster", "redis://me:se/se@cr?et@host:1?x=secret"),
        BadInput.Train("a password as a parameter", "'password' in 'dev://127.0.0.1:1' is not understood", "--cluster", "dev://127.0.0.1:1?password=secret"),
        new("an address of another machine", 3, "is not an address of this machine", files => [.. Silo(files, "dev://192.0.2.1:21912", "n"), "--insecure"]),
        new("ports for everybody", 8, "would let everybody", files => Silo(files, "dev://192.0.2.1:21912", "n")),
        new("a host that nobody knows", 4, "cannot be resolved", files => Silo(files, "dev://no.such.host.invalid:21912", "n")),
        new("a silo's name with a slash", 3, @"'a/\u{1b}[31m' must be 1 to 63 letters", files => Silo(files, "dev://127.0.0.1:21912", "a/\e[31m")),
    ];

    private static string[] Silo(SpoiltFiles files, string url, string name) =>
        ["silo", "--name", name, "--cluster", url, "--port", "21912", "--log", files.Folder["log"]];

    private static void Foreign(SpoiltCheckpoint files) => files.Weights(new NamedTensor("a", [2], new float[2]));
}
