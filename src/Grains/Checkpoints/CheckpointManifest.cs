using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Grains.Checkpoints;

/// <summary>
/// manifest.json: written last, it says what a whole checkpoint consists of. <paramref name="SelfSha256"/> is the hash of the manifest's
/// own text with that value left empty, so that every byte of the folder is under a hash.
/// </summary>
public sealed record CheckpointManifest(
    int FormatVersion,
    long Step,
    int NumericsVersion,
    string StateSha256,
    string WeightsSha256,
    IReadOnlyList<CheckpointFile> Files,
    DateTime CreatedUtc,
    string SelfSha256,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? ClassNames = null)
{
    internal const int MaxLength = 1 << 20;
    private const int MaxDepth = 8;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The text with its own hash filled in.</summary>
    public byte[] Serialize()
    {
        byte[] unsigned = JsonSerializer.SerializeToUtf8Bytes(this with { SelfSha256 = "" }, Options);
        return JsonSerializer.SerializeToUtf8Bytes(this with { SelfSha256 = Convert.ToHexStringLower(SHA256.HashData(unsigned)) }, Options);
    }

    /// <exception cref="ConvNetException">Missing, damaged (exit code 3) or from a newer version (exit code 6).</exception>
    public static CheckpointManifest Read(string path)
    {
        if (new FileInfo(path).LinkTarget is not null)
        {
            throw ConvNetException.BadInput($"{path}: is a link; a checkpoint holds its files itself.");
        }

        return Parse(TextFile.Read(path, path, MaxLength), path);
    }

    /// <param name="path">Where it is from, for the errors.</param>
    /// <inheritdoc cref="Read"/>
    internal static CheckpointManifest Parse(string text, string path)
    {
        using JsonDocument document = JsonText.Parse(text, path, MaxDepth);
        CheckpointManifest manifest = JsonText.Make<CheckpointManifest>(document, path, Options);
        if (manifest.FormatVersion > CheckpointState.CurrentFormatVersion)
        {
            throw new ConvNetException(ExitCode.Conflict,
                $"{path}: has format version {manifest.FormatVersion}; this program reads up to " +
                $"{CheckpointState.CurrentFormatVersion}. Use the newer program that wrote it.");
        }

        if (manifest.FormatVersion < 1 || manifest.Files.Any(file => file is null))
        {
            throw ConvNetException.BadInput($"{path}: its format version is {manifest.FormatVersion}, or a file is null. Use another checkpoint.");
        }

        byte[] unsigned = Encoding.UTF8.GetBytes(
            manifest.SelfSha256.Length == 0 ? text : text.Replace(manifest.SelfSha256, "", StringComparison.Ordinal));
        if (Convert.ToHexStringLower(SHA256.HashData(unsigned)) != manifest.SelfSha256)
        {
            throw ConvNetException.BadInput(
                $"{path}: its text does not have the SHA-256 that it names itself. The checkpoint is damaged; use another one.");
        }

        return manifest;
    }
}
