using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;
using Xunit;

namespace ConvNet.Client.Tests.Configuration;

public sealed class ConfigurationTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model: \"len\\0et\"\n", "job.yaml:1:8: 'model' holds a NUL")]
    [InlineData("model: lenet\ntrain:\n\tbatch: 3\n", "job.yaml:3:1: not valid YAML: a tab in front of text")]
    [InlineData("model: len\0et\n", "has a NUL at line 1, column 11")]
    [InlineData("", "has 0 bytes")]
    public void Text_that_is_none_is_refused_with_its_place(string text, string message) => Refused(_folder.Write("job.yaml", text), message);

    [Fact]
    public void Other_things_than_text_files_are_refused_at_once()
    {
        Refused(_folder.Write("job.yaml", [0x61, 0x0A, 0x61, 0xFF]), "is not UTF-8 at line 2, column 2 (byte 3)");
        Refused("/dev/zero", "a pipe, a socket or a device");
        Refused(_folder.Path, "is a folder");
        Refused(_folder["none.yaml"], "does not exist");
        Refused("a\0b", "holds no NUL");
    }

    private static void Refused(string path, string message)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => ConfigurationFile.Read(path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(message, error.Message);
    }
}
