using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Bad input as the process of a user meets it: an exit code, one sentence, and nothing on standard output.</summary>
public sealed class BadInputProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2, "--batch takes a whole number; got 'abc'", "train", "--batch", "abc")]
    [InlineData(3, "'/dev/zero' has 0 bytes: it is empty, or a pipe, a socket or a device", "train", "--config", "/dev/zero")]
    [InlineData(3, "'pipe' has 0 bytes: it is empty, or a pipe, a socket or a device", "model", "show", "pipe")]
    [InlineData(3, "nested too deep", "model", "show", "deep.json")]
    [InlineData(3, "'redis://***@127.0.0.1:1' names a user or a password", "train", "--cluster", "redis://me:secret@127.0.0.1:1")]
    [InlineData(3, "data: no data set found", "data", "check", "data")]
    [InlineData(3, "the run folder '/proc/nope' cannot be made there", "train", "--out", "/proc/nope")]
    public async Task Bad_input_ends_the_process_with_its_code_and_one_sentence(int code, string sentence, params string[] args)
    {
        using Process made = Process.Start("mkfifo", _folder["pipe"]);
        made.WaitForExit();
        Directory.CreateDirectory(_folder["data"]);
        _folder.Write("deep.json", """{"name":"d","input":[1,4,4],"layers":""" + new string('[', 10_000));

        using ClientProcess process = await ClientProcess.RunAsync(code, _folder.Path, args);

        Assert.Equal("", process.Output);
        Assert.StartsWith("error: ", process.Error);
        Assert.Contains(sentence, process.Error);
        Assert.DoesNotContain("secret", process.Error);
        Assert.DoesNotContain("   at ", process.Error);
        Assert.Single(process.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.StartsWith("error: ", StringComparison.Ordinal));
    }
}
