using System.Reflection;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Collects launches and copies, and hands them to the device in parts. A part that comes again with the same arguments, as in every step of a training,
/// is recorded and then repeated as a whole (a CUDA graph), which costs the processor and the card a fraction of single launches.
/// </summary>
internal sealed class CommandQueue(ICommandStreams streams) : IDisposable
{
    /// <summary>Commands of a part: enough for a recording to pay, few enough for the device not to wait for work.</summary>
    internal const int MaxCommands = 64;

    /// <summary>Parts that are known at a time; a training step and an evaluation have a few each, and so have other sizes of batches.</summary>
    internal const int MaxRecordings = 256;

    /// <summary>Below it single launches cost no more.</summary>
    private const int LeastCommands = 4;

    /// <summary>Commands of a part that is handed over before the processor may have to wait; a number, so that parts are cut alike in each step.</summary>
    private const int EnoughCommands = 16;

    private readonly List<DeviceCommand> _commands = [];
    private Exception? _failure;

    /// <summary>By signature: null for what has come once.</summary>
    private readonly Dictionary<byte[], IRecording?> _recordings = new(new ByteComparer());

    /// <summary>Of the commands collected so far. Whoever adds a command signs it first.</summary>
    public CommandSignature Signature { get; } = new();

    /// <summary>Whether commands that are added may run beside those that follow on the main side.</summary>
    public bool IsAside { get; set; }

    /// <summary>Told the time of each command, as by <see cref="KernelTimer"/>, if not null; nothing runs aside, and nothing is recorded then.</summary>
    public Action<string, TimeSpan>? Timed { get; set; }

    /// <summary>Parts that were large enough to be recorded, and how many of these were repeated from a recording.</summary>
    public (long All, long Repeated) Parts { get; private set; }

    /// <summary>True if a part could not be handed on, or was not carried out.</summary>
    public bool HasFailed => _failure is not null;

    /// <exception cref="InvalidOperationException">A part before could not be handed on: what it was to upload is not there.</exception>
    public void Add(MethodInfo? kernel, Action<AcceleratorStream> issue)
    {
        if (_failure is not null)
        {
            throw new InvalidOperationException($"The device has refused a launch before ({_failure.Message.TrimEnd('.')}).", _failure);
        }

        Signature.With(kernel?.MetadataToken ?? 0).With(IsAside);
        _commands.Add(new DeviceCommand(issue, kernel, IsAside));
        if (_commands.Count == MaxCommands)
        {
            Submit();
        }
    }

    /// <summary>Hands the device what has been collected.</summary>
    public void Submit()
    {
        if (_commands.Count == 0)
        {
            return;
        }

        try
        {
            if (Timed is { } timed)
            {
                KernelTimer.Run(_commands, streams.Main, timed);
            }
            else if (_commands.Count < LeastCommands || !streams.Records)
            {
                streams.Issue(_commands);
            }
            else
            {
                IssueOrRepeat();
            }
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
        finally
        {
            _commands.Clear();
            Signature.Clear();
        }
    }

    /// <summary>Notes that the device is of no use any more.</summary>
    public void Fail(Exception why) => _failure ??= why;

    /// <summary>Hands over what has been collected if it is enough for a part.</summary>
    public void SubmitPart()
    {
        if (_commands.Count >= EnoughCommands)
        {
            Submit();
        }
    }

    /// <summary>Gives all recordings up: memory that they use is about to be freed.</summary>
    public void Forget()
    {
        foreach (IRecording? recording in _recordings.Values)
        {
            recording?.Dispose();
        }

        _recordings.Clear();
    }

    public void Dispose()
    {
        Forget();
        streams.Dispose();
    }

    private void IssueOrRepeat()
    {
        Parts = (Parts.All + 1, Parts.Repeated);
        Dictionary<byte[], IRecording?>.AlternateLookup<ReadOnlySpan<byte>> known = _recordings.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!known.TryGetValue(Signature.Bytes, out IRecording? recording))
        {
            MakeRoom();
            known[Signature.Bytes] = null;
            streams.Issue(_commands);
            return;
        }

        recording ??= known[Signature.Bytes] = streams.Record(_commands);
        if (recording is null || !recording.TryReplay())
        {
            streams.Issue(_commands);
            return;
        }

        Parts = (Parts.All, Parts.Repeated + 1);
    }

    /// <summary>Drops those that have come once, and if they are none all.</summary>
    private void MakeRoom()
    {
        if (_recordings.Count < MaxRecordings)
        {
            return;
        }

        foreach (byte[] signature in _recordings.Where(recording => recording.Value is null).Select(recording => recording.Key).ToList())
        {
            _recordings.Remove(signature);
        }

        if (_recordings.Count == MaxRecordings)
        {
            Forget();
        }
    }

    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] bytes) => GetHashCode(bytes.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            HashCode hash = default;
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
