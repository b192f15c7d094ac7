using System.Text.Json.Serialization;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Names a data set so that every machine finds the same one.</summary>
/// <param name="NameOrPath">A built-in name, or an absolute path.</param>
/// <param name="Size">"HxW" to which images of a folder are resized, or null.</param>
/// <param name="Sha256">Of the decoded data, lower-case hex.</param>
/// <param name="Channels">1 or 3, to which all images are converted, or null. Not written when null, as before there was such a thing.</param>
/// <param name="TestShare">The share of a folder's training images that is kept for testing, or null. Likewise.</param>
public sealed record DataReference(
    string NameOrPath,
    string? Size,
    string Sha256,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Channels = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? TestShare = null)
{
    /// <summary>A sentence for messages about another hash: why it may have changed although the files did not.</summary>
    [JsonIgnore]
    public string OlderReading => Size is null
        ? ""
        : " If the files are the same: a job with data.size that an older build made saw images resized by another filter, and cannot go on with this one.";
}
