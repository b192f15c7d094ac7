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
    private const int MaxLength = 64 << 20;

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

    /// <summary>As MessagePack with the properties' names as keys.</summary>
    public byte[] Serialize() => MessagePackSerializer.Serialize(this, Options);

    /// <exception cref="ConvNetException">Not such a file (exit code 3), or from a newer version (exit code 6).</exception>
    public static CheckpointState Read(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > MaxLength)
            {
                throw ConvNetException.BadInput(
                    $"{path}: has {length} bytes; at most {MaxLength} are read. This is no state of a checkpoint.");
            }

            CheckpointState? state = MessagePackSerializer.Deserialize<CheckpointState?>(File.ReadAllBytes(path), Options);
            return state is null ? throw ConvNetException.BadInput($"{path}: holds nothing. Use another checkpoint.") : state.Checked(path);
        }
        catch (MessagePackSerializationException e)
        {
            throw ConvNetException.BadInput(
                $"{path}: is not the state of a checkpoint: {e.GetBaseException().Message.TrimEnd('.')}. Use another checkpoint.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{path}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

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
