using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using static ConvNet.Grains.Contracts.Messages.Verdict;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Where the simulations must come: every kind of fault, of command and event, and every answer to each kind of message.</summary>
internal static class Branches
{
    private static readonly string[] Faults =
    [
        "a message is lost", "a message arrives twice", "a message does not cross a cut", "a message is sent twice with different bytes",
        "a machine makes NonFiniteGradient", "a machine makes NonFiniteMoments", "a machine makes OtherBits",
        "a worker dies", "a worker dies after a decision", "a worker is taken for dead", "a worker is frozen", "a worker is frozen for long",
        "a worker is cut off", "a worker is slow", "a worker's silo is stopped",
        "a disk is slow", "a disk takes no checkpoint",
        "a server is lost", "a server is frozen", "a server is frozen for long", "a server is cut off", "a server's silo is stopped",
        "a silo dies", "a silo dies after a decision", "a silo is taken for dead",
        "the job grain is lost", "the job grain is taken for lost", "the job grain is frozen", "the job grain is frozen for long",
        "the job grain is cut off", "the job's silo is stopped",
        "the store does not answer", "the store answers late", "the store loses its last write",
        "the client is lost", "the client is frozen",
        "the network is cut", "the network is cut for long",
    ];

    /// <summary>An answer that is missing here, such as <see cref="Rejected"/> in most places, is given to a message that nobody sends who follows the rules.</summary>
    private static readonly (string Message, Verdict[] Answers)[] Answers =
    [
        ("freeze of a partition", [Accepted, Stale, Rejected]),
        ("freeze of the batch norms", [Accepted, Stale, Rejected]),
        ("freeze of the coordinator", [Accepted, Stale, Rejected]),
        ("start of a partition", [Accepted, Duplicate, Stale, Rejected]),
        ("start of the batch norms", [Accepted, Duplicate, Stale, Rejected]),
        ("start of the coordinator", [Accepted, Duplicate, Stale, Rejected]),
        ("freeze of a standby", [Accepted, Stale, Rejected]),
        ("start of a standby", [Accepted, Duplicate, Stale]),
        ("start of a worker", [Accepted, Duplicate, Stale, Conflict]),
        ("part of a checkpoint", [Accepted, Stale]),
        ("statistics of a checkpoint", [Accepted, Stale]),
        ("order to notify", [Accepted, Duplicate, Stale]),
        ("order to train", [Accepted, Duplicate, Stale]),
        ("order to evaluate", [Accepted, Duplicate, Stale]),
        ("question for weights", [Accepted, Future, Stale]),
        ("question for weights at a standby", [Accepted, Future, Stale]),
        ("question for a version", [Accepted, Stale]),
        ("question for statistics", [Accepted, Stale, Rejected]),
        ("moments", [Accepted, Duplicate, Stale]),
        ("sums of backward", [Accepted, Duplicate, Stale]),
        ("totals of batch norms", [Accepted, Duplicate, AlreadyApplied, Stale]),
        ("gradient", [Accepted, Duplicate, Conflict, AlreadyApplied, Stale]),
        ("report of a worker", [Accepted, Duplicate, AlreadyApplied, Stale]),
        ("report of a partition", [Accepted, Duplicate, AlreadyApplied, Stale]),
        ("report of the batch norms", [Accepted, Duplicate, AlreadyApplied, Stale]),
        ("decision at a partition", [Accepted, AlreadyApplied, Future, Stale]),
        ("decision at the batch norms", [Accepted, AlreadyApplied, Stale]),
        ("acknowledged decision", [Accepted]),
        ("Reset for a standby", [Accepted, Duplicate, Stale]),
        ("State for a standby", [Accepted, Duplicate, Stale]),
        ("Gradient for a standby", [Accepted, Duplicate, AlreadyApplied, Stale]),
        ("Decision for a standby", [Accepted, AlreadyApplied, Stale]),
        ("statistics for a standby", [Accepted, AlreadyApplied, Stale]),
        ("position for a standby", [Accepted, AlreadyApplied, Stale]),
        ("readiness of a standby", [Accepted, Stale]),
        ("progress", [Accepted, Duplicate, Stale]),
        ("finding", [Accepted, Stale]),
        ("evaluated blocks", [Accepted, Duplicate, Stale]),
        ("sight of a worker", [Accepted, Stale]),
    ];

    /// <summary>So seldom that a few thousand seeds may pass without them.</summary>
    private static readonly string[] Seldom =
    [
        BranchCounts.NameOf("acknowledged decision", Stale),
        BranchCounts.NameOf("report of a partition", Conflict),
        BranchCounts.NameOf("report of the batch norms", Conflict),
        BranchCounts.NameOf("moments", Future),
        BranchCounts.NameOf("decision at the batch norms", Future),
        BranchCounts.NameOf("part of a checkpoint", Duplicate),
    ];

    private static readonly string[] Coordinator =
    [
        "a step is committed", "a step is decided", "a step is skipped", "a decision is told again", "the job is told that its steps are committed",
        "a step is to be computed again", "a worker is to be expelled", "a decided step has other sums",
    ];

    private static readonly (string Kind, string Phrase)[] Warnings =
    [
        ("a step is skipped", " is skipped, because a value is not finite"),
        ("a step is computed once more by the only worker", "it is computed once more, by the same worker"),
        ("a step is computed once more by others", "it is computed once more, with its data shards at other workers"),
        ("a worker does not get the same bits twice", "as it does not get the same bits twice"),
        ("a worker is wrong, as others show", "as others show"),
        ("a worker contradicts itself", " contradicts itself ("),
        ("the state is not protected", "the state of the job is not protected until "),
        ("the state is protected again", "the state of the job is protected again"),
        ("a checkpoint is not written, and the job trains on", " The training goes on, and a checkpoint is tried again every "),
        ("a checkpoint is not written, and the job waits", " It is tried again for "),
        ("a checkpoint is written slowly", " s: the disk is slow, or does not answer; "),
    ];

    /// <summary>Those that a process that follows a job makes itself.</summary>
    private static readonly Type[] ClientEvents =
    [
        typeof(RunEvent.Started), typeof(RunEvent.StepsCommitted), typeof(RunEvent.Progress), typeof(RunEvent.Notice), typeof(RunEvent.Failed),
        typeof(RunEvent.Abandoned),
    ];

    private static readonly string[] Phases = ["Queued", "Changing", "Running", "Evaluating", "Saving"];

    /// <summary>What must have been met.</summary>
    public static IReadOnlyCollection<string> Required { get; } =
    [
        .. Faults.Select(fault => $"fault: {fault}"),
        .. Answers.SelectMany(message => message.Answers.Select(answer => BranchCounts.NameOf(message.Message, answer))),
        .. Coordinator.Select(what => $"coordinator: {what}"),
        .. KindsOf(typeof(JobCommand)).Select(command => $"command: {command.Name}"),
        .. KindsOf(typeof(RunEvent)).Except(ClientEvents).Select(happened => $"event: {happened.Name}"),
        .. Warnings.Select(kind => $"warning: {kind.Kind}"),
        .. Enum.GetValues<JobState>().Where(state => state.IsEnd() && state != JobState.Failed).Select(state => $"the job ends as {state}"),
        "the job fails: nobody was there, and it has saved", "the job fails: nobody was there, and what was new is lost",
        "the writer of a checkpoint is lost", "a job without workers goes back to the queue", "the job fails: its silo was stopped", "the job fails: its client has given up",
        .. Enum.GetValues<JobOrderKind>().Where(kind => kind != JobOrderKind.Resume).SelectMany(kind => OrdersOf(kind, "Queued", "Changing", "Running", "Paused")),
        .. OrdersOf(JobOrderKind.Resume, "Paused"),
        .. Phases.SelectMany(phase => new[] { $"crashed while {phase}", $"cut off while {phase}", $"went back while {phase}", $"joined while {phase}" }),
        .. Phases.Except(["Queued"]).Select(phase => $"lost while {phase}"),
        "hands over to standbys", "lost a silo while Running, protected", "lost a silo while Running, not protected", "lost a silo while Changing, not protected",
        "crashed while Paused", "a step is repeated", "a worker leaves", "shards move", "a worker is expelled", "a write is refused",
        "the job goes on as another one", "an orphaned job is taken up", "an orphaned job is given up", "crashed while Orphaned",
    ];

    public static string KindOf(RunEvent.Warning warning) =>
        Warnings.FirstOrDefault(kind => warning.Message.Contains(kind.Phrase, StringComparison.Ordinal)).Kind ?? $"of no known kind: {warning.Message}";

    /// <summary>A kind of answer or of warning that nobody thought of.</summary>
    public static bool IsUnknown(string branch) =>
        (branch.Contains(" is ", StringComparison.Ordinal) && Answers.Any(message => branch.StartsWith($"{message.Message} is ", StringComparison.Ordinal))
            || branch.StartsWith("warning: ", StringComparison.Ordinal))
        && !Required.Contains(branch) && !Seldom.Contains(branch);

    private static IEnumerable<Type> KindsOf(Type type) => type.GetNestedTypes().Where(kind => kind.IsSubclassOf(type) && !kind.IsAbstract);

    private static IEnumerable<string> OrdersOf(JobOrderKind kind, params string[] phases) => phases.Select(phase => $"order: {kind} of a job that is {phase}");
}
