using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConvNet.Engine.Optimizers;
using ConvNet.Gpu.Kernels;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// What some commands do, as bytes: which kernels and copies, at which addresses, with which numbers. Commands of equal bytes do the same to the same
/// memory, whatever that holds.
/// </summary>
internal sealed class CommandSignature
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <summary>Adds an argument: a view, a struct of numbers, or one of those structs that hold views.</summary>
    /// <exception cref="NotSupportedException">A struct with views that this class does not know.</exception>
    public CommandSignature With<T>(T value)
        where T : struct
    {
        if (typeof(T) == typeof(ArrayView<Float32>))
        {
            return WithView(Unsafe.As<T, ArrayView<Float32>>(ref value));
        }

        if (typeof(T) == typeof(ArrayView<int>))
        {
            return WithView(Unsafe.As<T, ArrayView<int>>(ref value));
        }

        if (typeof(T) == typeof(ArrayView<Float64>))
        {
            return WithView(Unsafe.As<T, ArrayView<Float64>>(ref value));
        }

        if (typeof(T) == typeof(ArrayView<UpdateNumbers>))
        {
            return WithView(Unsafe.As<T, ArrayView<UpdateNumbers>>(ref value));
        }

        if (typeof(T) == typeof(NormViews))
        {
            NormViews views = Unsafe.As<T, NormViews>(ref value);
            return WithView(views.Constants).WithView(views.Gamma).WithView(views.Beta).WithView(views.Sets).With(views.Lanes);
        }

        if (typeof(T) == typeof(Additions))
        {
            Additions additions = Unsafe.As<T, Additions>(ref value);
            return WithView(additions.Steps).With(additions.Count).With(additions.Samples);
        }

        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            throw new NotSupportedException($"{nameof(CommandSignature)} does not know the views in {typeof(T).Name}; teach it.");
        }

        // What lies between the fields of a struct may differ from one to its like; then the two count as different, which costs no more than time.
        return WithBytes(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
    }

    private CommandSignature WithView<T>(ArrayView<T> view)
        where T : unmanaged => With(view.IsValid ? view.LoadEffectiveAddressAsPtr() : 0).With(view.Length).With(Unsafe.SizeOf<T>());

    private CommandSignature WithBytes(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _length < bytes.Length)
        {
            Array.Resize(ref _bytes, (2 * _bytes.Length) + bytes.Length);
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        return this;
    }
}
