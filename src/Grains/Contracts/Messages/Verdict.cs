namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What becomes of a message.</summary>
public enum Verdict
{
    /// <summary>New and valid; taken into account.</summary>
    Accepted,

    /// <summary>The same key and bytes as before: acknowledged, not added.</summary>
    Duplicate,

    /// <summary>The same key as before with other bytes: the sender contradicts itself.</summary>
    Conflict,

    /// <summary>Of an older generation, incarnation or step; of no effect. The sender is out of date and should stop.</summary>
    Stale,

    /// <summary>
    /// Of the step that has just been committed here: the sender runs it again for the sake of others, or has missed the first
    /// answer. Of no effect, and none is needed.
    /// </summary>
    AlreadyApplied,

    /// <summary>Of a generation or step that has not begun here: send it again later.</summary>
    Future,

    /// <summary>Not a message that this sender may send: unknown chunk or tree node, wrong size.</summary>
    Rejected,
}
