using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <param name="Total">The sum over the whole batch once it is known, also for a duplicate that asks again; else wait for it.</param>
/// <param name="CompletesTree">True for the message that made the total known: wake those who wait, and deliver backward totals.</param>
public readonly record struct ReduceAnswer<T>(Answer Answer, T? Total, bool CompletesTree)
    where T : class;
