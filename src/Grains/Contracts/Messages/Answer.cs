namespace ConvNet.Grains.Contracts.Messages;

/// <param name="Reason">For <see cref="Verdict.Conflict"/> and <see cref="Verdict.Rejected"/>: one sentence that names the worker.</param>
public readonly record struct Answer(Verdict Verdict, string? Reason = null)
{
    /// <summary>True if the receiver has, or needs, nothing more of this message.</summary>
    public bool IsAcknowledged => Verdict is Verdict.Accepted or Verdict.Duplicate or Verdict.AlreadyApplied;

    public static implicit operator Answer(Verdict verdict) => new(verdict);
}
