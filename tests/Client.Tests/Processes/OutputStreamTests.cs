using ConvNet.Silo.Processes;
using Xunit;

namespace ConvNet.Client.Tests.Processes;

public sealed class OutputStreamTests
{
    private const int IoError = 5, BrokenPipe = 32, NoSpace = 28;

    [Theory]
    [InlineData(IoError)]
    [InlineData(BrokenPipe)]
    public void Output_that_nobody_reads_any_more_is_no_failure(int errno)
    {
        var broken = new Broken(errno);
        using var writer = new StreamWriter(new OutputStream(broken)) { AutoFlush = true };

        writer.WriteLine("step 1");
        writer.WriteLine("step 2");

        Assert.Equal(1, broken.Writes);
    }

    [Fact]
    public void A_full_disk_under_the_output_is_one()
    {
        using var output = new OutputStream(new Broken(NoSpace));

        Assert.Throws<IOException>(() => output.Write([1, 2, 3]));
    }

    private sealed class Broken(int errno) : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Writes++;
            throw new IOException("broken", errno);
        }
    }
}
