using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>How models look as JSON: camelCase names, sizes as a number or [h, w], volumes as [c, h, w], no unknown names.</summary>
internal static class ModelJson
{
    /// <summary>Nested objects and arrays; a residual block takes three levels.</summary>
    public const int MaxDepth = 32;

    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowOutOfOrderMetadataProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = MaxDepth,
        WriteIndented = true,
        IndentSize = 2,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters =
        {
            new SizeConverter(),
            new PaddingConverter(),
            new ShapeConverter(),
            new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
        },
    };

    /// <summary>The layer's "type" in a model file.</summary>
    public static string TypeName(LayerSpec spec) => (string)Options.GetTypeInfo(typeof(LayerSpec)).PolymorphismOptions!.DerivedTypes
        .First(type => type.DerivedType == spec.GetType()).TypeDiscriminator!;

    private static Size ReadSize(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.GetInt32();
        }

        int[] pair = ReadIntegers(ref reader, 2, "a number or [height, width]");
        return new Size(pair[0], pair[1]);
    }

    private static int[] ReadIntegers(ref Utf8JsonReader reader, int count, string expected)
    {
        var values = new List<int>();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
            {
                values.Add(reader.GetInt32());
            }
        }

        return reader.TokenType == JsonTokenType.EndArray && values.Count == count
            ? [.. values]
            : throw new JsonException($"expected {expected}.");
    }

    private static void Write(Utf8JsonWriter writer, Size size)
    {
        if (size.H == size.W)
        {
            writer.WriteNumberValue(size.H);
            return;
        }

        WriteArray(writer, size.H, size.W);
    }

    private static void WriteArray(Utf8JsonWriter writer, params ReadOnlySpan<int> values)
    {
        writer.WriteRawValue($"[{string.Join(",", values.ToArray())}]");
    }

    private sealed class SizeConverter : JsonConverter<Size>
    {
        public override Size Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => ReadSize(ref reader);

        public override void Write(Utf8JsonWriter writer, Size value, JsonSerializerOptions options) => ModelJson.Write(writer, value);
    }

    private sealed class PaddingConverter : JsonConverter<Padding>
    {
        public override Padding Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                return ReadSize(ref reader);
            }

            return reader.GetString() == "same" ? Padding.Same : throw new JsonException("expected a number, [height, width] or \"same\".");
        }

        public override void Write(Utf8JsonWriter writer, Padding value, JsonSerializerOptions options)
        {
            if (value.IsSame)
            {
                writer.WriteStringValue("same");
                return;
            }

            ModelJson.Write(writer, value.Amount);
        }
    }

    private sealed class ShapeConverter : JsonConverter<Shape>
    {
        public override Shape Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            int[] volume = ReadIntegers(ref reader, 3, "[channels, height, width]");
            return new Shape(volume[0], volume[1], volume[2]);
        }

        public override void Write(Utf8JsonWriter writer, Shape value, JsonSerializerOptions options) =>
            WriteArray(writer, value.C, value.H, value.W);
    }
}
