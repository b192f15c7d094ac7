using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using MessagePack;

namespace ConvNet.Grains.Checkpoints;

/// <summary>state.msgpack: everything besides the tensors that makes a resumed run exact.</summary>
[MessagePackObject(keyAsPropertyName: true)]
public sealed record CheckpointState
{
    /// <summary>The version that this program writes and reads.</summary>
    public const int CurrentFormatVersion = 1;

    // Bounds what a damaged or hostile file can make the reader allocate; a real state has a few kilobytes.
    internal const int MaxLength = 64 << 20;
    private const int MaxDepth = 4;

    private static readonly MessagePackSerializerOptions Options =
        MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData).WithCompression(MessagePackCompression.None);

    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>Which arithmetic computed the tensors: another number means other bits from here on.</summary>
    public required int NumericsVersion { get; init; }

    public required string Model { get; init; }

    /// <summary>Steps completed = number of the next step.</summary>
    public required long Step { get; init; }

    public required long TotalSteps { get; init; }

    /// <summary>The job with all defaults resolved.</summary>
    public required string JobJson { get; init; }

    public required string DataSha256 { get; init; }

    /// <summary>Sum of the losses of the samples of the epoch in progress, up to <see cref="Step"/>.</summary>
    public double EpochLossSum { get; init; }

    public long EpochCorrect { get; init; }

    public long EpochSamples { get; init; }

    /// <summary>Steps that were left out because of non-finite gradients.</summary>
    public long SkippedSteps { get; init; }

    /// <summary>Of those, the ones since the last step that was applied.</summary>
    public int SkipsInARow { get; init; }

    public bool Completed { get; init; }

    /// <summary>Only when <see cref="Completed"/>.</summary>
    public FinalResult? Result { get; init; }

    internal bool IsOfSameJob(CheckpointState other)
    {
        try
        {
            return JobJson == other.JobJson || JobSpec.FromJson(JobJson).IsSameJob(JobSpec.FromJson(other.JobJson));
        }
        catch (ConvNetException)
        {
            // Of another version of this program, and so not the same.
            return false;
        }
    }

    /// <summary>As MessagePack with the properties' names as keys.</summary>
    public byte[] Serialize() => MessagePackSerializer.Serialize(this, Options);

    /// <exception cref="ConvNetException">Not such a file (exit code 3), or from a newer version (exit code 6).</exception>
    public static CheckpointState Read(string path)
    {
        try
        {
            // The library's reader skips a length of 2³¹ and more with an argument out of range.
            byte[] bytes = ReadBytes(path);
            CheckShape(bytes, path);
            CheckpointState? state = MessagePackSerializer.Deserialize<CheckpointState?>(bytes, Options);
            return state is null ? throw Foreign(path, "it holds nothing") : state.Checked(path);
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or ArgumentOutOfRangeException)
        {
            throw Foreign(path, "it ends early, or holds something of another kind than belongs there", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{path}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        // Pipes and devices have length 0, so that none of them is opened.
        long length = new FileInfo(path).Length;
        return length is > 0 and <= MaxLength
            ? File.ReadAllBytes(path)
            : throw ConvNetException.BadInput($"{path}: has {length} bytes; 1 to {MaxLength} are read. This is no state of a checkpoint.");
    }

    // The library's reader stops at the end of the first value, lets the last of two equal keys win, and goes down as deep as a file wants.
    private static void CheckShape(byte[] bytes, string path)
    {
        var reader = new MessagePackReader(bytes);
        CheckValue(ref reader, path, MaxDepth);
        if (!reader.End)
        {
            throw Foreign(path, $"{bytes.Length - reader.Consumed} bytes follow its end");
        }
    }

    private static void CheckValue(ref MessagePackReader reader, string path, int depth)
    {
        if (reader.NextMessagePackType is not MessagePackType.Map and not MessagePackType.Array)
        {
            reader.Skip();
            return;
        }

        if (depth == 0)
        {
            throw Foreign(path, $"values are nested more than {MaxDepth} deep within each other");
        }

        if (reader.NextMessagePackType == MessagePackType.Array)
        {
            for (int left = reader.ReadArrayHeader(); left > 0; left--)
            {
                CheckValue(ref reader, path, depth - 1);
            }

            return;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int left = reader.ReadMapHeader(); left > 0; left--)
        {
            string name = reader.ReadString() ?? "";
            if (!names.Add(name))
            {
                throw Foreign(path, $"the key '{name}' is given twice");
            }

            CheckValue(ref reader, path, depth - 1);
        }
    }

    private static ConvNetException Foreign(string path, string fault, Exception? inner = null) =>
        ConvNetException.BadInput($"{path}: is not the state of a checkpoint: {fault}. Use another checkpoint.", inner);

    // MessagePack leaves what a file does not mention at its default, null included.
    private CheckpointState Checked(string path)
    {
        if (FormatVersion > CurrentFormatVersion)
        {
            throw new ConvNetException(ExitCode.Conflict,
                $"{path}: has format version {FormatVersion}; this program reads up to {CurrentFormatVersion}. Use the newer program " +
                "that wrote it.");
        }

        bool isIncomplete = Model is null || JobJson is null || DataSha256 is null;
        if (isIncomplete || FormatVersion < 1 || Step < 0 || TotalSteps < Step || EpochSamples < 0)
        {
            throw ConvNetException.BadInput(
                $"{path}: is not the state of a checkpoint: format version {FormatVersion}, step {Step} of {TotalSteps}, or something " +
                "is missing. Use another checkpoint.");
        }

        return this;
    }
}
