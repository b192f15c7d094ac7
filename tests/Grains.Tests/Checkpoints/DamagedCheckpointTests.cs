using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using MessagePack;
using Xunit;

namespace ConvNet.Grains.Tests.Checkpoints;

/// <summary>Checkpoints whose files were changed and whose hashes were made to fit again.</summary>
public sealed class DamagedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public DamagedCheckpointTests() => _path = CheckpointFolder.Save(_folder.Path, CheckpointFolderTests.Example(40, completed: true)).Path;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"formatVersion\": 1", "\"formatVersion\": 0", "format version is 0")]
    [InlineData("\"formatVersion\": 1", "\"formatVersion\": -5", "format version is -5")]
    [InlineData("\"formatVersion\": 1", "\"formatVersion\": 1, \"formatVersion\": 1", "the key \"formatVersion\" is given twice")]
    [InlineData("\"step\": 40", "\"step\": 40, \"step\": 41", "the key \"step\" is given twice")]
    [InlineData("\"step\": 40", "\"step\": \"x\"", "step: a value is missing or not of the kind that belongs there")]
    [InlineData("\"step\": 40", "\"step\": null", "step: a value is missing")]
    [InlineData("\"step\": 40", "\"Step\": 40", "a value is missing")]
    [InlineData("\"step\": 40", "\"step\": 4e99", "step: a value is missing")]
    [InlineData("\"step\": 40", "\"step\": 40 40", "not valid JSON: '4' is not expected here")]
    [InlineData("\"files\": [", "\"files\": [ null,", "or a file is null")]
    [InlineData("\"name\": \"model.safetensors\"", "\"name\": null", "files[0].name: a value is missing")]
    [InlineData("\"name\": \"model.safetensors\"", "\"name\": \"model\\u0000\"", "files[0].name: a text holds a NUL")]
    public void A_manifest_is_refused_in_plain_words(string from, string to, string problem)
    {
        string manifest = Path.Combine(_path, CheckpointFolder.ManifestFile);
        string text = File.ReadAllText(manifest);
        Assert.Contains(from, text);
        Sign(manifest, text.Replace(from, to, StringComparison.Ordinal));
        string found = Problem();
        Assert.Contains(problem, found);
        Assert.DoesNotContain("System.", found);
    }

    [Fact]
    public void A_manifest_that_is_a_link_is_refused()
    {
        string manifest = Path.Combine(_path, CheckpointFolder.ManifestFile);
        File.Move(manifest, _folder["elsewhere.json"]);
        File.CreateSymbolicLink(manifest, _folder["elsewhere.json"]);
        Assert.Contains("manifest.json: is a link", Problem());
    }

    [Fact]
    public void A_state_is_refused_in_plain_words()
    {
        string path = Path.Combine(_path, CheckpointFolder.StateFile);
        byte[] whole = File.ReadAllBytes(path);
        Refused(path, [.. whole, 0xC0], "1 bytes follow its end");
        Refused(path, whole[..^1], "it ends early");
        Refused(path, [], "has 0 bytes");
        Refused(path, [0xC0], "it holds nothing");
        Refused(path, [0x93, 1, 2, 3], "another kind than belongs there");
        Refused(path, [.. Enumerable.Repeat((byte)0x91, 100_000), 0xC0], "nested more than");
        byte[] named = MessagePackSerializer.Serialize("Step", cancellationToken: TestContext.Current.CancellationToken);
        Refused(path, [0x82, .. named, 1, .. named, 2], "the key 'Step' is given twice");
        Refused(path, [0xDF, 0xFF, 0xFF, 0xFF, 0xFF], "it ends early");
        Refused(path, [0x81, .. named, 0xC6, 0xA5, 0xFF, 0xFF, 0xFF], "it ends early");
        Refused(path, [0x81, 0xC0, 0xC0], "is not the state of a checkpoint");
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_a_problem()
    {
        string path = CheckpointFolder.Save(_folder.Path, CheckpointFolderTests.Example(41, first: float.NaN)).Path;
        Assert.Contains("1 tensors with values that are no finite numbers; the first is '0.weight'", CheckpointFolder.Verify(path).Problems.Single());
    }

    private static void Refused(string path, byte[] content, string message)
    {
        File.WriteAllBytes(path, content);
        ConvNetException error = Assert.Throws<ConvNetException>(() => CheckpointState.Read(path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(message, error.Message);
    }

    private static void Sign(string manifest, string text)
    {
        int start = text.IndexOf("\"selfSha256\": \"", StringComparison.Ordinal) + "\"selfSha256\": \"".Length;
        string unsigned = text.Remove(start, 64);
        File.WriteAllText(manifest, unsigned.Insert(start, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(unsigned)))));
    }

    private string Problem() => Assert.Single(CheckpointFolder.Verify(_path).Problems);
}
