using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Carries commands out on a card: in one stream, those aside in a second one that waits for the first by an event, and the first for it at the end of a
/// part. Recordings are CUDA graphs, captured from the same two streams. Functions and codes are those of the CUDA Driver API.
/// </summary>
internal sealed unsafe class CudaStreams : ICommandStreams
{
    /// <summary>CU_STREAM_CAPTURE_MODE_RELAXED: other threads may use other devices meanwhile.</summary>
    private const int RelaxedCapture = 2;

    /// <summary>CUDA_ERROR_STREAM_CAPTURE_INVALIDATED.</summary>
    private const int NotIssued = 901;

    /// <summary>CU_EVENT_DISABLE_TIMING.</summary>
    private const uint NoTiming = 2;

    /// <summary>Switches recordings off, to find out what they are worth.</summary>
    private const string Switch = "CONVNET_GPU_GRAPHS";

    private readonly CudaStream _main;
    private readonly CudaStream _side;
    private readonly nint _record = CudaDriver.Function("cuEventRecord");
    private readonly nint _wait = CudaDriver.Function("cuStreamWaitEvent");
    private readonly nint _begin;
    private readonly nint _end;
    private readonly nint _instantiate;
    private readonly nint _launch;
    private readonly nint _fork;
    private readonly nint _join;

    /// <param name="accelerator">The calling thread's.</param>
    public CudaStreams(Accelerator accelerator)
    {
        _main = (CudaStream)accelerator.CreateStream();
        _side = (CudaStream)accelerator.CreateStream();
        _fork = NewEvent();
        _join = NewEvent();
        Records = Environment.GetEnvironmentVariable(Switch) != "0"
            && NativeLibrary.TryGetExport(CudaDriver.Library, "cuStreamBeginCapture_v2", out _begin)
            && NativeLibrary.TryGetExport(CudaDriver.Library, "cuStreamEndCapture", out _end)
            && NativeLibrary.TryGetExport(CudaDriver.Library, "cuGraphInstantiateWithFlags", out _instantiate)
            && NativeLibrary.TryGetExport(CudaDriver.Library, "cuGraphLaunch", out _launch);
    }

    public AcceleratorStream Main => _main;

    /// <summary>Until a capture fails: the driver will not do better with the next one. False for one older than graphs (CUDA 11.4).</summary>
    public bool Records { get; private set; }

    public void Issue(IReadOnlyList<DeviceCommand> commands)
    {
        bool wasAside = false, forked = false;
        foreach (DeviceCommand command in commands)
        {
            if (command.IsAside && !wasAside)
            {
                Follow(_main, _side, _fork);
                forked = true;
            }

            wasAside = command.IsAside;
            command.Issue(wasAside ? _side : _main);
        }

        if (forked)
        {
            Follow(_side, _main, _join);
        }
    }

    public IRecording? Record(IReadOnlyList<DeviceCommand> commands)
    {
        nint graph = 0, executable = 0;
        int code = ((delegate* unmanaged<nint, int, int>)_begin)(_main.StreamPtr, RelaxedCapture);
        if (code == 0)
        {
            int ended;
            try
            {
                Issue(commands);
            }
            catch (CudaException)
            {
                // Issued again without a capture they tell what is wrong.
                code = NotIssued;
            }
            finally
            {
                ended = ((delegate* unmanaged<nint, nint*, int>)_end)(_main.StreamPtr, &graph);
            }

            code = code == 0 ? ended : code;
        }

        if (code == 0)
        {
            code = ((delegate* unmanaged<nint*, nint, ulong, int>)_instantiate)(&executable, graph, 0);
        }

        if (graph != 0)
        {
            _ = ((delegate* unmanaged<nint, int>)CudaDriver.Function("cuGraphDestroy"))(graph);
        }

        Records = code == 0;
        return code == 0 ? new Recording(this, executable) : null;
    }

    public void Dispose()
    {
        _ = ((delegate* unmanaged<nint, int>)CudaDriver.Function("cuEventDestroy_v2"))(_fork);
        _ = ((delegate* unmanaged<nint, int>)CudaDriver.Function("cuEventDestroy_v2"))(_join);
        _side.Dispose();
        _main.Dispose();
    }

    private static nint NewEvent()
    {
        nint made;
        Demand(((delegate* unmanaged<nint*, uint, int>)CudaDriver.Function("cuEventCreate"))(&made, NoTiming));
        return made;
    }

    private static void Demand(int code)
    {
        if (code != 0)
        {
            throw new CudaException((CudaError)code);
        }
    }

    /// <summary>What comes next in <paramref name="follower"/> waits for what is in <paramref name="stream"/> now.</summary>
    private void Follow(CudaStream stream, CudaStream follower, nint mark)
    {
        Demand(((delegate* unmanaged<nint, nint, int>)_record)(mark, stream.StreamPtr));
        Demand(((delegate* unmanaged<nint, nint, uint, int>)_wait)(follower.StreamPtr, mark, 0));
    }

    private sealed class Recording(CudaStreams streams, nint executable) : IRecording
    {
        public bool TryReplay()
        {
            streams.Records = ((delegate* unmanaged<nint, nint, int>)streams._launch)(executable, streams._main.StreamPtr) == 0;
            return streams.Records;
        }

        public void Dispose() => _ = ((delegate* unmanaged<nint, int>)CudaDriver.Function("cuGraphExecDestroy"))(executable);
    }
}
