using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts.Wire;

public sealed class TensorBlockCodecTests : IDisposable
{
    /// <summary>How the serializer writes the length of four floats, 16 bytes.</summary>
    private const byte SixteenBytes = (16 << 1) | 1;

    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private Serializer Serializer => _services.GetRequiredService<Serializer>();

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(TensorBlock.MaxLength)]
    public void A_part_of_an_array_arrives_with_every_bit(int length)
    {
        float[] array = [.. Enumerable.Range(0, length + 3).Select(i => BitConverter.Int32BitsToSingle(i * 0x01010101))];

        using TensorBlock read = RoundTrip(new TensorBlock(array, 2, length));

        Assert.Equal(array[2..(2 + length)].Select(BitConverter.SingleToInt32Bits), read.Span.ToArray().Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void One_block_twice_in_a_message_travels_once()
    {
        var block = new TensorBlock([1, 2, 3], 0, 3);

        TensorBlock[] read = RoundTrip<TensorBlock[]>([block, block]);

        Assert.Same(read[0], read[1]);
        Assert.Equal([1, 2, 3], read[1].Span.ToArray());
    }

    [Fact]
    public void An_answer_without_values_arrives_without_values()
    {
        BlockAnswer read = RoundTrip(new BlockAnswer(new Answer(Verdict.Rejected, "because")));

        Assert.Equal(new BlockAnswer(new Answer(Verdict.Rejected, "because")), read);
    }

    [Fact]
    public void A_length_that_is_no_whole_number_of_floats_is_refused() =>
        Assert.Contains("15 bytes", Assert.Throws<SerializerException>(() => Read((15 << 1) | 1)).Message);

    [Fact]
    public void A_length_beyond_the_largest_block_is_refused_before_memory_is_rented()
    {
        // Three bytes hold a length: the value above three bits of which the third is set.
        int announced = (TensorBlock.MaxLength + 1) * sizeof(float);
        int written = (announced << 3) | 4;

        Assert.Contains($"{announced} bytes", Assert.Throws<SerializerException>(() => Read((byte)written, (byte)(written >> 8), (byte)(written >> 16))).Message);
    }

    [Fact]
    public void A_length_that_is_not_there_is_refused() => Assert.ThrowsAny<Exception>(() => Read((32 << 1) | 1));

    [Fact]
    public void A_disposed_block_that_was_read_cannot_be_read_again()
    {
        TensorBlock read = RoundTrip(new TensorBlock([1, 2], 0, 2));
        read.Dispose();

        Assert.Throws<ObjectDisposedException>(() => read.Span.Length);
    }

    private T RoundTrip<T>(T value) => Serializer.Deserialize<T>(Serializer.SerializeToArray(value))!;

    /// <summary>Reads a block of four floats whose announced length was changed on the way.</summary>
    private TensorBlock Read(params byte[] length)
    {
        byte[] message = Serializer.SerializeToArray(new TensorBlock([1, 2, 3, 4], 0, 4));
        int at = Array.IndexOf(message, SixteenBytes);
        return Serializer.Deserialize<TensorBlock>([.. message[..at], .. length, .. message[(at + 1)..]])!;
    }
}
