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
    private readonly nint _fork;
    private readonly nint _join;

    public CudaStreams(Accelerator accelerator)
    {
        _main = (CudaStream)accelerator.CreateStream();
        _side = (CudaStream)accelerator.CreateStream();
        nint made;
        Demand(((delegate* unmanaged<nint*, uint, int>)Function("cuEventCreate"))(&made, NoTiming));
        _fork = made;
        Demand(((delegate* unmanaged<nint*, uint, int>)Function("cuEventCreate"))(&made, NoTiming));
        _join = made;
        Records = Environment.GetEnvironmentVariable(Switch) != "0";
    }

    public AcceleratorStream Main => _main;

    /// <summary>Until a capture fails: the driver will not do better with the next one.</summary>
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
        int code = ((delegate* unmanaged<nint, int, int>)Function("cuStreamBeginCapture_v2"))(_main.StreamPtr, RelaxedCapture);
        if (code == 0)
        {
            try
            {
                Issue(commands);
            }
            catch (CudaException)
            {
                // Issued again without a capture they tell what is wrong.
                code = NotIssued;
            }

            int ended = ((delegate* unmanaged<nint, nint*, int>)Function("cuStreamEndCapture"))(_main.StreamPtr, &graph);
            code = code == 0 ? ended : code;
        }

        if (code == 0)
        {
            code = ((delegate* unmanaged<nint*, nint, ulong, int>)Function("cuGraphInstantiateWithFlags"))(&executable, graph, 0);
        }

        if (graph != 0)
        {
            _ = ((delegate* unmanaged<nint, int>)Function("cuGraphDestroy"))(graph);
        }

        Records = code == 0;
        return code == 0 ? new Recording(executable, _main.StreamPtr) : null;
    }

    public void Dispose()
    {
        _ = ((delegate* unmanaged<nint, int>)Function("cuEventDestroy_v2"))(_fork);
        _ = ((delegate* unmanaged<nint, int>)Function("cuEventDestroy_v2"))(_join);
        _side.Dispose();
        _main.Dispose();
    }

    /// <summary>What comes next in <paramref name="follower"/> waits for what is in <paramref name="stream"/> now.</summary>
    private static void Follow(CudaStream stream, CudaStream follower, nint mark)
    {
        Demand(((delegate* unmanaged<nint, nint, int>)Function("cuEventRecord"))(mark, stream.StreamPtr));
        Demand(((delegate* unmanaged<nint, nint, uint, int>)Function("cuStreamWaitEvent"))(follower.StreamPtr, mark, 0));
    }

    private static nint Function(string name) => NativeLibrary.GetExport(CudaDriver.Library, name);

    private static void Demand(int code)
    {
        if (code != 0)
        {
            throw new CudaException((CudaError)code);
        }
    }

    private sealed class Recording(nint executable, nint stream) : IRecording
    {
        private readonly nint _launch = Function("cuGraphLaunch");

        public void Replay() => Demand(((delegate* unmanaged<nint, nint, int>)_launch)(executable, stream));

        public void Dispose() => _ = ((delegate* unmanaged<nint, int>)Function("cuGraphExecDestroy"))(executable);
    }
}
