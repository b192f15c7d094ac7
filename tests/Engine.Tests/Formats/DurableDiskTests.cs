using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using Xunit;

namespace ConvNet.Engine.Tests.Formats;

public sealed class DurableDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_cannot_be_written_is_a_lack_of_resources()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(
            () => DurableDisk.Machine.Write(_folder["a"], _ => throw new IOException("No space left on device.")));
        Assert.Equal(ExitCode.Resources, error.ExitCode);
        Assert.Contains("No space left on device", error.Message);
    }

    [Fact]
    public void A_folder_is_published_under_its_final_name_once()
    {
        Directory.CreateDirectory(_folder["t1"]);
        DurableDisk.Machine.Write(Path.Combine(_folder["t1"], "x"), stream => stream.WriteByte(5));
        DurableDisk.Machine.PublishFolder(_folder["t1"], _folder["final"]);
        Assert.Equal([5], File.ReadAllBytes(Path.Combine(_folder["final"], "x")));
        Directory.CreateDirectory(_folder["t2"]);
        Assert.Equal(ExitCode.Resources, Assert.Throws<ConvNetException>(() => DurableDisk.Machine.PublishFolder(_folder["t2"], _folder["final"])).ExitCode);
    }

    [Fact]
    public void Flushing_a_missing_folder_fails() => Assert.Throws<IOException>(() => DurableDisk.Machine.FlushFolder(_folder["none"]));
}
