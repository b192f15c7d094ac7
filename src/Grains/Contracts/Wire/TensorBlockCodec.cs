using System.Buffers;
using System.Runtime.InteropServices;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary>Copies spans, because the built-in codec for float[] spends five bytes and a virtual call on every element.</summary>
[RegisterSerializer]
internal sealed class TensorBlockCodec : IFieldCodec<TensorBlock>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, TensorBlock? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(TensorBlock), WireType.LengthPrefixed);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(value!.Span);
        writer.WriteVarUInt32((uint)bytes.Length);
        writer.Write(bytes);
    }

    public TensorBlock ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<TensorBlock, TInput>(ref reader, field)!;
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        uint bytes = reader.ReadVarUInt32();
        if (bytes % sizeof(float) != 0 || bytes / sizeof(float) > TensorBlock.MaxLength)
        {
            throw new SerializerException($"a tensor block of {bytes} bytes was announced; whole floats, at most {TensorBlock.MaxLength}, are allowed");
        }

        reader.EnsureAvailable(bytes);
        TensorBlock block = TensorBlock.Rent((int)(bytes / sizeof(float)));
        reader.ReadBytes(MemoryMarshal.AsBytes(block.Writable()));
        ReferenceCodec.RecordObject(reader.Session, block);
        return block;
    }
}
