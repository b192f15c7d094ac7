using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a <see cref="JobMachine"/> wants done; its host does it, and tells the machine how it went.</summary>
internal abstract record JobCommand
{
    private JobCommand(long generation) => Generation = generation;

    /// <summary>The generation that it is part of: another one that begins makes it needless.</summary>
    public long Generation { get; }

    /// <summary>Freeze every server, then <see cref="JobMachine.Frozen"/>.</summary>
    public sealed record Freeze(MessageHeader Header, ServerKeys Servers) : JobCommand(Header.Generation);

    /// <summary>Let every server begin and every worker prepare the generation, then <see cref="JobMachine.Started"/>.</summary>
    public sealed record Start(Assignment Assignment) : JobCommand(Assignment.Generation);

    /// <summary>Have the workers train until a step; <see cref="JobMachine.Progress"/> tells when it is committed.</summary>
    /// <param name="Order">The number of the order, which a worker carries out once.</param>
    public sealed record Run(Assignment Assignment, long FirstStep, long UntilStep, long Order) : JobCommand(Assignment.Generation);

    /// <summary>Have the workers evaluate their blocks; <see cref="JobMachine.EvaluationDone"/> takes their sums.</summary>
    public sealed record Evaluate(Assignment Assignment, EvaluationRun Evaluation, long Order) : JobCommand(Assignment.Generation);

    /// <summary>Pin the version that all servers rest at, then <see cref="JobMachine.Pinned"/>.</summary>
    public sealed record Save(Assignment Assignment, JobPosition Position, FinalResult? Result) : JobCommand(Assignment.Generation);

    /// <summary>
    /// Write the version that is pinned, while the job may train on and change its generation; then <see cref="JobMachine.Saved"/> or
    /// <see cref="JobMachine.NotSaved"/>.
    /// </summary>
    public sealed record Write(Assignment Assignment, long Step, CheckpointRetention? Retention) : JobCommand(Assignment.Generation);

    /// <summary>Tell a worker that was taken out, if it can be reached, that nothing is expected of it.</summary>
    public sealed record Dismiss(string Worker, MessageHeader Header) : JobCommand(Header.Generation);

    /// <summary>Free all workers and servers of the job.</summary>
    public sealed record Release(Assignment Assignment) : JobCommand(Assignment.Generation);
}
