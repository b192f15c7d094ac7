using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;

namespace ConvNet.Gpu.Numerics;

/// <summary>
/// IEEE operations, each rounded once to the nearest value, as the processor has them. ILGPU leaves these calls alone, where it would
/// re-associate the operators of C#, and in PTX each is one instruction with <c>.rn</c>, which the driver must not fuse with its neighbours.
/// On ILGPU's emulated device the bodies run. Kernels use them by <see cref="Float32"/> and <see cref="Float64"/>.
/// </summary>
internal static class Rounded
{
    [IntrinsicImplementation]
    public static float Add(float a, float b) => a + b;

    [IntrinsicImplementation]
    public static float Subtract(float a, float b) => a - b;

    [IntrinsicImplementation]
    public static float Multiply(float a, float b) => a * b;

    [IntrinsicImplementation]
    public static float Divide(float a, float b) => a / b;

    [IntrinsicImplementation]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    [IntrinsicImplementation]
    public static float Sqrt(float a) => MathF.Sqrt(a);

    [IntrinsicImplementation]
    public static double Add64(double a, double b) => a + b;

    [IntrinsicImplementation]
    public static double Subtract64(double a, double b) => a - b;

    [IntrinsicImplementation]
    public static double Multiply64(double a, double b) => a * b;

    [IntrinsicImplementation]
    public static double Divide64(double a, double b) => a / b;

    [IntrinsicImplementation]
    public static double Fma64(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    [IntrinsicImplementation]
    public static double Sqrt64(double a) => Math.Sqrt(a);

    /// <summary>Tells ILGPU how each operation is written in PTX.</summary>
    public static void Register(IntrinsicImplementationManager manager)
    {
        Register(manager, nameof(Add), nameof(Ptx.Add));
        Register(manager, nameof(Subtract), nameof(Ptx.Subtract));
        Register(manager, nameof(Multiply), nameof(Ptx.Multiply));
        Register(manager, nameof(Divide), nameof(Ptx.Divide));
        Register(manager, nameof(Fma), nameof(Ptx.Fma));
        Register(manager, nameof(Sqrt), nameof(Ptx.Sqrt));
        Register(manager, nameof(Add64), nameof(Ptx.Add64));
        Register(manager, nameof(Subtract64), nameof(Ptx.Subtract64));
        Register(manager, nameof(Multiply64), nameof(Ptx.Multiply64));
        Register(manager, nameof(Divide64), nameof(Ptx.Divide64));
        Register(manager, nameof(Fma64), nameof(Ptx.Fma64));
        Register(manager, nameof(Sqrt64), nameof(Ptx.Sqrt64));
    }

    private static void Register(IntrinsicImplementationManager manager, string method, string writer) => manager.RegisterMethod(
        typeof(Rounded).GetMethod(method)!,
        new PTXIntrinsic(typeof(Ptx).GetMethod(writer)!, IntrinsicImplementationMode.GenerateCode));

    /// <summary>What ILGPU calls to write an operation.</summary>
    private static class Ptx
    {
        public static void Add(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("add.rn.f32", generator, value);

        public static void Subtract(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("sub.rn.f32", generator, value);

        public static void Multiply(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("mul.rn.f32", generator, value);

        public static void Divide(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("div.rn.f32", generator, value);

        public static void Fma(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("fma.rn.f32", generator, value);

        public static void Sqrt(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("sqrt.rn.f32", generator, value);

        public static void Add64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("add.rn.f64", generator, value);

        public static void Subtract64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("sub.rn.f64", generator, value);

        public static void Multiply64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("mul.rn.f64", generator, value);

        public static void Divide64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("div.rn.f64", generator, value);

        public static void Fma64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("fma.rn.f64", generator, value);

        public static void Sqrt64(PTXBackend backend, PTXCodeGenerator generator, Value value) => Write("sqrt.rn.f64", generator, value);

        private static void Write(string instruction, PTXCodeGenerator generator, Value value)
        {
            var call = (MethodCall)value;
            var arguments = new RegisterAllocator<PTXRegisterKind>.PrimitiveRegister[call.Count];
            for (int i = 0; i < arguments.Length; i++)
            {
                arguments[i] = generator.LoadPrimitive(call.Nodes[i]);
            }

            RegisterAllocator<PTXRegisterKind>.HardwareRegister target = generator.AllocateHardware(value);
            using PTXCodeGenerator.CommandEmitter command = generator.BeginCommand(instruction);
            command.AppendArgument(target);
            foreach (RegisterAllocator<PTXRegisterKind>.PrimitiveRegister argument in arguments)
            {
                command.AppendArgument(argument);
            }
        }
    }
}
