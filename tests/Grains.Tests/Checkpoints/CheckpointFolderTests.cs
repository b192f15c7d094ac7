using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal static Checkpoint Example(long step, float first = 1, bool completed = false) => new(
        new CheckpointState
        {
            NumericsVersion = 1,
            Model = "lenet",
            Step = step,
            TotalSteps = 100,
            JobJson = """{"model":"lenet","seed":1}""",
            DataSha256 = new string('a', 64),
            EpochLossSum = 0.1 + 0.2,
            EpochCorrect = 31,
            EpochSamples = 64,
            SkippedSteps = 2,
            Completed = completed,
            Result = completed ? new FinalResult(0.5, 0.4, 0.87) : null,
        },
        [new("0.weight", [2, 2], new[] { first, -2f, 3f, 1e-30f }), new("1.weight", [2], new[] { 1f, 1f })],
        [new("1.running_mean", [2], new[] { 0.25f, 0f }), new("1.running_var", [2], new[] { 1f, 2f })],
        [new("momentum.0.weight", [2, 2], new float[4]), new("momentum.1.weight", [2], new[] { 0.5f, 7f })],
        new Dictionary<string, string> { ["convnet.model"] = "{}", ["convnet.mean"] = "0.286" });

    [Fact]
    public void A_checkpoint_survives_a_round_trip()
    {
        Checkpoint saved = Example(40, completed: true);
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, saved);
        Assert.Equal(_folder["step-00000040"], result.Path);
        Assert.Equal([result.Path], Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal(
            ["manifest.json", "model.safetensors", "optimizer.safetensors", "state.msgpack"],
            Directory.GetFiles(result.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Checkpoint loaded = CheckpointFolder.Load(result.Path);
        Assert.Equal(saved.State, loaded.State);
        Assert.Equal(saved.Metadata, loaded.Metadata);
        Assert.Equal(result.StateSha256, loaded.StateSha256());
        Assert.Equal(result.WeightsSha256, loaded.WeightsSha256());
        Assert.Equal(["0.weight", "1.weight"], loaded.Parameters.Select(tensor => tensor.Name));
        Assert.Equal(["1.running_mean", "1.running_var"], loaded.Statistics.Select(tensor => tensor.Name));
        Assert.Equal([0.5f, 7f], loaded.Optimizer.Single(tensor => tensor.Name == "momentum.1.weight").Data.ToArray());
        CheckpointVerification verification = CheckpointFolder.Verify(result.Path);
        Assert.True(verification.Ok);
        Assert.Equal((40, result.StateSha256), (verification.Step, verification.StateSha256));
    }

    [Fact]
    public void Saving_the_same_step_again_replaces_the_checkpoint()
    {
        CheckpointFolder.Save(_folder.Path, Example(40));
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40, completed: true));
        Assert.True(CheckpointFolder.Load(result.Path).State.Completed);
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.msgpack")]
    public void Every_flipped_byte_and_every_truncation_is_found(string name)
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        string path = Path.Combine(result.Path, name);
        byte[] whole = File.ReadAllBytes(path);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(path, damaged);
            AssertDamaged(result.Path, $"byte {i}");
        }

        for (int length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);
            AssertDamaged(result.Path, $"length {length}");
        }

        File.Delete(path);
        Assert.Contains(name, AssertDamaged(result.Path, "missing"));
        File.WriteAllBytes(path, whole);
        Assert.True(CheckpointFolder.Verify(result.Path).Ok);
    }

    [Fact]
    public void All_problems_are_named_at_once()
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        File.Delete(Path.Combine(result.Path, "model.safetensors"));
        File.AppendAllText(Path.Combine(result.Path, "state.msgpack"), "x");
        Flip(Path.Combine(result.Path, "optimizer.safetensors"));
        ConvNetException error = Assert.Throws<ConvNetException>(() => CheckpointFolder.Load(result.Path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("model.safetensors is missing", error.Message);
        Assert.Contains("state.msgpack has", error.Message);
        Assert.Contains("optimizer.safetensors has SHA-256", error.Message);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("extra.bin")]
    public void Foreign_paths_in_the_manifest_are_not_opened(string name)
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        string path = Path.Combine(result.Path, "manifest.json");
        CheckpointManifest manifest = CheckpointManifest.Read(path);
        File.WriteAllBytes(path, (manifest with { Files = [.. manifest.Files, new CheckpointFile(name, 1, "00")] }).Serialize());
        Assert.Contains($"'{name}', which is no file of a checkpoint", AssertDamaged(result.Path, name));
    }

    [Fact]
    public void A_link_instead_of_a_file_is_refused()
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        string path = Path.Combine(result.Path, "model.safetensors");
        File.Move(path, _folder["elsewhere"]);
        File.CreateSymbolicLink(path, _folder["elsewhere"]);
        Assert.Contains("is a link", AssertDamaged(result.Path, "link"));
    }

    [Fact]
    public void Content_that_does_not_fit_the_manifests_hash_is_found()
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        string path = Path.Combine(result.Path, "manifest.json");
        CheckpointManifest manifest = CheckpointManifest.Read(path);
        File.WriteAllBytes(path, (manifest with { StateSha256 = new string('0', 64), Step = 41 }).Serialize());
        string problems = AssertDamaged(result.Path, "hash");
        Assert.Contains("state hash", problems);
        Assert.Contains("of step 40", problems);
    }

    [Fact]
    public void A_newer_format_is_a_conflict()
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(40));
        string path = Path.Combine(result.Path, "manifest.json");
        File.WriteAllBytes(path, (CheckpointManifest.Read(path) with { FormatVersion = 99 }).Serialize());
        Assert.Equal(ExitCode.Conflict, Assert.Throws<ConvNetException>(() => CheckpointFolder.Load(result.Path)).ExitCode);
    }

    [Fact]
    public void A_full_disk_leaves_nothing_behind()
    {
        CheckpointFolder.Save(_folder.Path, Example(39));
        Checkpoint broken = Example(40);
        broken = broken with { Optimizer = [new NamedTensor("m", [3], new float[2])] };
        Assert.Throws<ArgumentException>(() => CheckpointFolder.Save(_folder.Path, broken));
        Assert.Equal([_folder["step-00000039"]], Directory.GetFileSystemEntries(_folder.Path));
        _folder.Write("file", [1]);
        Assert.Equal(ExitCode.Resources, Assert.Throws<ConvNetException>(() => CheckpointFolder.Save(_folder["file"], Example(1))).ExitCode);
    }

    [Fact]
    public void A_dozen_lines_of_python_recompute_both_hashes()
    {
        CheckpointResult result = CheckpointFolder.Save(_folder.Path, Example(12345) with { State = Example(12345).State with { TotalSteps = 20000 } });
        const string Script = """
            import hashlib, json, struct, sys
            def tensors(path):
                data = open(path, "rb").read()
                n = struct.unpack("<Q", data[:8])[0]
                header = json.loads(data[8:8 + n])
                header.pop("__metadata__", None)
                return {k: data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in header.items()}
            def digest(*groups):
                text = b"".join(k.encode() + b"\0" + g[k] for g in groups for k in sorted(g))
                return hashlib.sha256(text + struct.pack("<q", int(sys.argv[2]))).hexdigest()
            model, optimizer = (tensors(f"{sys.argv[1]}/{f}.safetensors") for f in ("model", "optimizer"))
            print(digest(model, optimizer), digest({k: v for k, v in model.items() if ".running_" not in k}))
            """;
        var start = new ProcessStartInfo("python3", ["-c", Script, result.Path, "12345"]) { RedirectStandardOutput = true };
        using Process python = Process.Start(start)!;
        Assert.Equal($"{result.StateSha256} {result.WeightsSha256}", python.StandardOutput.ReadToEnd().Trim());
    }

    private static string AssertDamaged(string path, string what)
    {
        IReadOnlyList<string> problems;
        try
        {
            problems = CheckpointFolder.Verify(path).Problems;
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.Conflict)
        {
            problems = [e.Message];
        }

        Assert.True(problems.Count > 0, $"The damage at {what} was not found.");
        return string.Join(" ", problems);
    }

    private static void Flip(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
