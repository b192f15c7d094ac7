namespace ConvNet.Grains.Contracts.Messages;

/// <param name="Reason">For <see cref="Verdict.Conflict"/> and <see cref="Verdict.Rejected"/>: one sentence that names who or what is wrong.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.Answer")]
public readonly record struct Answer([property: Id(0)] Verdict Verdict, [property: Id(1)] string? Reason = null)
{
    /// <summary>True if the receiver has, or needs, nothing more of this message.</summary>
    public bool IsAcknowledged => Verdict is Verdict.Accepted or Verdict.Duplicate or Verdict.AlreadyApplied;

    /// <summary>True if the sender has broken a rule: the job cannot go on with it.</summary>
    public bool IsRefused => Verdict is Verdict.Conflict or Verdict.Rejected;

    public static implicit operator Answer(Verdict verdict) => new(verdict);
}
