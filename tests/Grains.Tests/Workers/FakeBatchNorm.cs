using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>A batch-norm grain that answers as the test says.</summary>
internal sealed class FakeBatchNorm : IBatchNormGrain
{
    public Func<Task<BlockAnswer>> Answer { get; set; } = () => throw new NotSupportedException();

    public Task<BlockAnswer> ReduceAsync(NormRoots roots, TensorBlock sums) => Answer();

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int norm) => Answer();

    public Task<Answer> BeginAsync(Assignment assignment, long batchesSeen) => throw new NotSupportedException();

    public Task<Answer> CommitAsync(StepDecision decision) => throw new NotSupportedException();

    public Task<Answer> InstallAsync(MessageHeader header, int norm, TensorBlock statistics) => throw new NotSupportedException();

    public Task<Answer> FollowAsync(BatchNormForward forward) => throw new NotSupportedException();

    public Task<FrozenAt> FreezeAsync(MessageHeader header) => throw new NotSupportedException();

    public Task ReleaseAsync(MessageHeader header) => throw new NotSupportedException();
}
