using System.Reflection;
using ConvNet.Engine.Errors;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// A device that runs kernels: its memory, its launches and copies, and the kernels compiled for it. Launches return at once; they are handed to the
/// device in parts (<see cref="CommandQueue"/>) and carried out in their order, but for those that may run <see cref="Aside"/>. Not thread-safe.
/// </summary>
public sealed partial class KernelDevice : IDisposable
{
    /// <summary>Threads of a group of a kernel whose items are independent, on a GPU. An emulated one is quickest with one thread.</summary>
    private const int GroupSize = 256;

    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly Dictionary<MethodInfo, Delegate> _launchers = [];
    private readonly CommandQueue _queue;
    private readonly MainSide _mainSide;

    private KernelDevice(string name, Context context, Accelerator accelerator)
    {
        (Name, _context, _accelerator) = (name, context, accelerator);
        accelerator.Bind();
        ICommandStreams streams = IsEmulated ? new EmulatedStreams(accelerator.DefaultStream) : new CudaStreams(accelerator);
        Stream = streams.Main;
        _queue = new CommandQueue(streams);
        _mainSide = new MainSide(_queue);
    }

    /// <summary>"gpu:0", or "emulated".</summary>
    public string Name { get; }

    /// <summary>"gpu:0 (NVIDIA H100 80GB HBM3)", or "emulated".</summary>
    public string Description => IsEmulated ? Name : $"{Name} ({_accelerator.Name})";

    /// <summary>True if the processor runs the kernels, a thread for each of a group's.</summary>
    public bool IsEmulated => _accelerator is CPUAccelerator;

    /// <summary>Bytes of memory in all.</summary>
    public long MemorySize => _accelerator.MemorySize;

    /// <summary>Bytes of the buffers that are there now.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Bytes that nobody has, whoever else computes on the card.</summary>
    public long FreeBytes
    {
        get
        {
            using var binding = _accelerator.BindScoped();
            return _accelerator is CudaAccelerator card ? card.GetFreeMemory() : long.MaxValue;
        }
    }

    /// <summary>As <see cref="CommandQueue.Parts"/>.</summary>
    internal (long All, long Repeated) Parts => _queue.Parts;

    /// <summary>For copies that are waited for; submit what was launched before.</summary>
    internal AcceleratorStream Stream { get; }

    /// <summary>As <see cref="CommandQueue.Timed"/>.</summary>
    internal Action<string, TimeSpan>? Timed
    {
        get => _queue.Timed;
        set => _queue.Timed = value;
    }

    /// <summary>The processor in place of a GPU: the same kernels, slowly, for tests.</summary>
    public static KernelDevice Emulated()
    {
        Context context = CreateContext(builder => builder.CPU(new CPUDevice(numThreadsPerWarp: 32, numWarpsPerMultiprocessor: 2, numMultiprocessors: 1)));
        return new KernelDevice("emulated", context, context.GetPreferredDevice(preferCPU: true).CreateAccelerator(context));
    }

    /// <summary>The card with this number.</summary>
    /// <exception cref="ConvNetException">There is none, or the driver does not open it, or takes no kernel of ours (exit code 7).</exception>
    public static KernelDevice OpenCuda(int index)
    {
        CudaLibrary.Load();
        Context? context = null;
        try
        {
            context = CreateContext(builder => builder.Cuda());
            CudaDevice card = CardOf(context, index) ?? throw new NotSupportedException("ILGPU knows no instruction set for this card and its driver.");
            var device = new KernelDevice($"gpu:{index}", context, card.CreateAccelerator(context));

            // A driver that refuses every kernel is to be found out now, not in the middle of a job.
            device.Load(KernelCatalog.All.First()).Dispose();
            return device;
        }
        catch (Exception e) when (e is CudaException or NotSupportedException or DllNotFoundException or EntryPointNotFoundException)
        {
            context?.Dispose();
            throw new ConvNetException(ExitCode.Resources, Refusal(index, e.Message.TrimEnd('.')), e);
        }
    }

    /// <summary>The PTX of a kernel, for which no GPU is needed.</summary>
    public static string PtxOf(MethodInfo kernel)
    {
        using Context context = CreateContext(builder => builder.CPU(new CPUDevice(2, 1, 1)));
        using var backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        CompiledKernel compiled = backend.Compile(KernelCatalog.EntryOf(kernel), KernelSpecialization.Empty);
        return ((PTXCompiledKernel)compiled).PTXAssembly;
    }

    /// <summary>How often the processor has waited: what was launched when this was less is done.</summary>
    public long Waits { get; private set; }

    /// <summary>Waits for all that has been launched.</summary>
    public void Synchronize()
    {
        Submit();
        try
        {
            Stream.Synchronize();
        }
        catch (CudaException e)
        {
            // A card that has failed in a kernel fails in all that follows.
            _queue.Fail(e);
            throw;
        }

        Waits++;
    }

    public void Dispose()
    {
        try
        {
            Bind();
            _queue.Dispose();
            _accelerator.Dispose();
            _context.Dispose();
        }
        catch (CudaException) when (HasFailed)
        {
            // As little as a card that has failed does what it is asked to, does it end.
        }
    }

    /// <summary>
    /// What is launched until the result is disposed of may run beside what follows: nothing of that may write what these launches use, or read what they
    /// write, before the processor has waited.
    /// </summary>
    internal IDisposable Aside()
    {
        _queue.IsAside = true;
        return _mainSide;
    }

    /// <summary>True if the device has refused a launch or a copy, or has failed in one: it is of no use any more.</summary>
    internal bool HasFailed => _queue.HasFailed;

    /// <summary>Hands the device what has been launched, when the processor has other things to do before the next launch.</summary>
    internal void Submit() => _queue.Submit();

    /// <summary>The same if that is enough for a part: before the processor asks for something that it may have to wait for.</summary>
    internal void SubmitPart() => _queue.SubmitPart();

    /// <summary>Copies to memory of the device, after all that has been launched before.</summary>
    /// <param name="source">Of the device, too, or locked memory of the processor, which keeps its values until the next wait.</param>
    internal void CopyTo<T>(ArrayView<T> target, ArrayView<T> source)
        where T : unmanaged
    {
        _queue.Signature.With(false).With(target).With(source);
        _queue.Add(kernel: null, stream => target.CopyFrom(stream, source));
    }

    /// <summary>Copies from memory of the device, after all that has been launched before.</summary>
    /// <param name="target">Locked memory of the processor, which has the values after the next wait.</param>
    internal void CopyFrom<T>(ArrayView<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        _queue.Signature.With(true).With(source).With(target);
        _queue.Add(kernel: null, stream => source.CopyTo(stream, target));
    }

    /// <exception cref="ConvNetException">There is no room (exit code 7).</exception>
    internal MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(long length, string what)
        where T : unmanaged
    {
        try
        {
            MemoryBuffer1D<T, Stride1D.Dense> memory = _accelerator.Allocate1D<T>(Math.Max(1, length));
            memory.MemSetToZero(Stream);
            AllocatedBytes += memory.LengthInBytes;
            return memory;
        }
        catch (Exception e) when (e is CudaException or OutOfMemoryException)
        {
            long bytes = length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
            throw new ConvNetException(
                ExitCode.Resources,
                $"{Name} has no room for {bytes >> 20} MiB of {what}: its memory is {MemorySize >> 20} MiB, shared with whatever else runs there. " +
                "Use a smaller batch, more workers, or --device cpu.",
                e);
        }
    }

    /// <summary>Any thread may ask for it.</summary>
    /// <exception cref="ConvNetException">There is no room (exit code 7).</exception>
    internal HostMemory<T> AllocateHost<T>(long length)
        where T : unmanaged => new(_accelerator, Name, length);

    internal void Free(MemoryBuffer memory)
    {
        Release();
        AllocatedBytes -= memory.LengthInBytes;
        memory.Dispose();
    }

    internal void Free<T>(HostMemory<T> memory)
        where T : unmanaged
    {
        Release();
        memory.Dispose();
    }

    /// <summary>Makes this the device of the calling thread: a driver launches for the device of the thread that asks.</summary>
    internal void Bind() => _accelerator.Bind();

    internal static Context CreateContext(Action<Context.Builder> devices) => Context.Create(builder =>
    {
        builder.Optimize(OptimizationLevel.O2);
        builder.Math(MathMode.Default);
        builder.Profiling();
        Numerics.Rounded.Register(builder.GetIntrinsicManager());
        devices(builder);
    });

    /// <summary>The launcher of a kernel, compiled at its first use.</summary>
    private TLauncher LauncherOf<TLauncher>(Delegate kernel)
        where TLauncher : Delegate
    {
        if (_launchers.TryGetValue(kernel.Method, out Delegate? launcher))
        {
            return (TLauncher)launcher;
        }

        TLauncher made = Load(kernel.Method).CreateLauncherDelegate<TLauncher>();
        _launchers.Add(kernel.Method, made);
        return made;
    }

    private Kernel Load(MethodInfo kernel)
    {
        CompiledKernel compiled = _accelerator.GetBackend().Compile(KernelCatalog.EntryOf(kernel), KernelSpecialization.Empty);
        try
        {
            return KernelCatalog.HasItems(kernel)
                ? _accelerator.LoadImplicitlyGroupedKernel(compiled, IsEmulated ? 1 : GroupSize)
                : _accelerator.LoadKernel(compiled);
        }
        catch (CudaException e)
        {
            throw new ConvNetException(
                ExitCode.Resources,
                $"the driver of {Name} refuses the kernel {kernel.DeclaringType!.Name}.{kernel.Name}: {e.Message.TrimEnd('.')} ({LogOf(compiled)}). " +
                "Update the driver, or use --device cpu.",
                e);
        }
    }

    /// <summary>Before memory is freed: what runs, what has not been handed on yet, and what is recorded may still use it.</summary>
    private void Release()
    {
        Synchronize();
        _queue.Forget();
    }

    /// <summary>ILGPU leaves cards out that it does not know, so that its numbers may not be the driver's.</summary>
    private static CudaDevice? CardOf(Context context, int index)
    {
        foreach (CudaDevice card in context.GetCudaDevices())
        {
            if (card.DeviceId == index)
            {
                return card;
            }
        }

        return null;
    }

    /// <summary>ILGPU keeps to itself what the driver's compiler says.</summary>
    private static string LogOf(CompiledKernel compiled) => CudaDriver.CompilerLog(((PTXCompiledKernel)compiled).PTXAssembly);

    private static string Refusal(int index, string why) => $"gpu:{index} cannot be opened: {why}. Update the driver, or use --device cpu.";

    /// <summary>Ends what is aside.</summary>
    private sealed class MainSide(CommandQueue queue) : IDisposable
    {
        public void Dispose() => queue.IsAside = false;
    }
}
