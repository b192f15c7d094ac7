using System.Buffers.Binary;
using System.Text;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Formats;
using Xunit;

namespace ConvNet.Engine.Tests.Formats;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string One = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_and_metadata_survive_a_round_trip()
    {
        NamedTensor[] tensors =
        [
            new("b.weight", [2, 3], new float[] { 1, -0f, float.Epsilon, float.MaxValue, -2.5f, 3 }),
            new("a \"ü\"\n", [], new float[] { 7 }),
            new("empty", [0, 5], Array.Empty<float>()),
        ];
        var metadata = new Dictionary<string, string> { ["convnet.model"] = "{\"name\":\"x\"}", ["convnet.mean"] = "0.286" };
        using var memory = new MemoryStream();
        SafetensorsFile.Write(memory, tensors, metadata);
        SafetensorsFile read = SafetensorsFile.Read(_folder.Write("m.safetensors", memory.ToArray()));
        Assert.Equal(metadata, read.Metadata);
        Assert.Equal(["a \"ü\"\n", "b.weight", "empty"], read.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (NamedTensor tensor in tensors)
        {
            NamedTensor other = read.Tensors.Single(candidate => candidate.Name == tensor.Name);
            Assert.Equal(tensor.Shape, other.Shape);
            Assert.Equal(
                tensor.Data.ToArray().Select(BitConverter.SingleToUInt32Bits),
                other.Data.ToArray().Select(BitConverter.SingleToUInt32Bits));
        }
    }

    [Fact]
    public void The_layout_is_the_published_one()
    {
        using var memory = new MemoryStream();
        SafetensorsFile.Write(memory, [new("w", [1, 2], new float[] { 1, 2 })], new Dictionary<string, string> { ["k"] = "v" });
        byte[] bytes = memory.ToArray();
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0u, length % 8);
        Assert.Equal(
            """{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}""",
            Encoding.UTF8.GetString(bytes, 8, (int)length).TrimEnd(' '));
        Assert.Equal([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], bytes[(8 + (int)length)..]);
    }

    [Fact]
    public void Names_that_are_taken_and_wrong_shapes_are_not_written()
    {
        NamedTensor tensor = new("w", [2], new float[2]);
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(Stream.Null, [tensor, tensor]));
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(Stream.Null, [tensor with { Shape = [3] }]));
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(Stream.Null, [tensor with { Name = "__metadata__" }]));
    }

    [Theory]
    [InlineData("F64", "000000000000F83F0000000000000040")]
    [InlineData("F16", "003E0040")]
    [InlineData("BF16", "C03F0040")]
    [InlineData("F32", "0000C03F00000040")]
    public void Other_float_types_are_converted(string type, string data)
    {
        byte[] bytes = Convert.FromHexString(data);
        string header = $$$"""{"a":{"dtype":"{{{type}}}","shape":[2],"data_offsets":[0,{{{bytes.Length}}}]}}""";
        Assert.Equal([1.5f, 2f], SafetensorsFile.Read(File(header, bytes)).Tensors[0].Data.ToArray());
    }

    [Fact]
    public void Headers_with_a_wrong_length_are_refused()
    {
        Refused(_folder.Write("x", [1, 2, 3]), "has only 3 bytes");
        Refused(_folder.Write("x", Length(1UL << 63), new byte[100]), "9223372036854775808", "16777216");
        Refused(_folder.Write("x", Length(200), new byte[100]), "header of 200 bytes does not fit");
        Refused(_folder["missing"], "missing");
        Refused(_folder.Write("empty"), "has only 0 bytes: it is empty, or a pipe, a socket or a device");
    }

    [Theory]
    [InlineData("", "does not start with '{'")]
    [InlineData("  {}", "does not start with '{'")]
    [InlineData("[]", "does not start with '{'")]
    [InlineData("{", "not valid JSON")]
    [InlineData("{} x", "not valid JSON")]
    [InlineData("{}{}", "not valid JSON")]
    [InlineData("""{"a":1}""", "'a' is not an object")]
    [InlineData("""{"a":{"b":{"c":{}}}}""", "'b' is unknown")]
    [InlineData("""{"__metadata__":{"k":1}}""", "is not a string")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", "occurs twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'a' occurs twice")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", "dtype F8_E4M3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "needs 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,9223372036854775807],"data_offsets":[0,8]}}""", "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""", "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,9223372036854775808],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", "at most 16")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "needs dtype, shape and two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""", "needs dtype, shape and two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", "'shape' is unknown, twice there")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "invalid escape")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        "'b' starts at 0 instead of 4, overlapping")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'a' starts at 4 instead of 0, leaving a hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "ends at 12, past the 8 bytes")]
    [InlineData("{}", "8 bytes follow the last tensor")]
    public void Headers_that_break_a_rule_are_refused(string header, string part) => Refused(File(header, new byte[8]), part);

    [Fact]
    public void A_header_of_more_names_than_any_model_has_is_refused_before_memory_grows()
    {
        string entry = """:{"dtype":"F32","shape":[0],"data_offsets":[0,0]}""";
        string many = "{" + string.Join(',', Enumerable.Range(0, 70_000).Select(i => $"\"{i}\"{entry}")) + "}";
        string texts = "{\"__metadata__\":{" + string.Join(',', Enumerable.Range(0, 70_000).Select(i => $"\"{i}\":\"\"")) + "}}";

        Refused(File(many, []), "more than 65536 tensors");
        Refused(File(texts, []), "more than 65536 texts");
        Refused(File($$"""{"{{new string('x', 1001)}}"{{entry}}}""", []), "has 1001 characters; at most 1000");
        Assert.Single(SafetensorsFile.Read(File($$"""{"{{new string('x', 1000)}}"{{entry}}}""", [])).Tensors);
    }

    [Fact]
    public void Headers_that_are_not_utf8_are_refused()
    {
        byte[] header = Encoding.UTF8.GetBytes(One);
        header[2] = 0xFF;
        Refused(_folder.Write("x", Length((ulong)header.Length), header, new byte[8]), "not UTF-8 at byte 10");
    }

    [Fact]
    public void No_damage_leads_to_any_other_exception()
    {
        byte[] whole = [.. Length((ulong)One.Length), .. Encoding.UTF8.GetBytes(One), .. new byte[8]];
        for (int i = 0; i < whole.Length - 8; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] damaged = [.. whole];
                damaged[i] ^= (byte)(1 << bit);
                ReadOrRefuse(damaged);
            }
        }

        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<ConvNetException>(() => SafetensorsFile.Read(new MemoryStream(whole[..length]), "x"));
        }
    }

    private static void ReadOrRefuse(byte[] content)
    {
        try
        {
            SafetensorsFile.Read(new MemoryStream(content), "x");
        }
        catch (ConvNetException e)
        {
            Assert.Equal(ExitCode.BadInput, e.ExitCode);
        }
    }

    private static void Refused(string path, params string[] parts)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => SafetensorsFile.Read(path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.StartsWith(path, error.Message);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    private string File(string header, byte[] data) =>
        _folder.Write("x", Length((ulong)Encoding.UTF8.GetByteCount(header)), Encoding.UTF8.GetBytes(header), data);

    private static byte[] Length(ulong length)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        return bytes;
    }
}
