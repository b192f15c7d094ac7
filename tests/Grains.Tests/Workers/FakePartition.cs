using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>A parameter-server grain that keeps what it is sent, and answers as the test says.</summary>
internal sealed class FakePartition : IParameterServerGrain
{
    public List<(GradientRoot Root, float[] Gradients)> Pushes { get; } = [];

    /// <summary>Answers a push; the default accepts it at once.</summary>
    public Func<GradientRoot, Task<Answer>> OnPush { get; set; } = _ => Task.FromResult<Answer>(Verdict.Accepted);

    /// <summary>Answers a pull of a chunk.</summary>
    public Func<MessageHeader, int, Task<BlockAnswer>> OnPull { get; set; } = (_, _) => throw new NotSupportedException();

    public Task<Answer> PushAsync(GradientRoot root, TensorBlock gradients)
    {
        lock (Pushes)
        {
            Pushes.Add((root, gradients.Span.ToArray()));
        }

        return OnPush(root);
    }

    public Task<BlockAnswer> PullAsync(MessageHeader header, int chunk) => OnPull(header, chunk);

    public Task<Answer> BeginAsync(Assignment assignment) => throw new NotSupportedException();

    public Task<Answer> DeliverTotalsAsync(MessageHeader header, int norm, TensorBlock totals) => throw new NotSupportedException();

    public Task<Answer> CommitAsync(StepDecision decision) => throw new NotSupportedException();

    public Task<BlockAnswer> ReadAsync(MessageHeader header, int slot, int chunk) => throw new NotSupportedException();

    public Task<Answer> InstallAsync(MessageHeader header, int slot, int chunk, TensorBlock values) => throw new NotSupportedException();

    public Task<Answer> FollowAsync(PartitionForward forward, TensorBlock? floats) => throw new NotSupportedException();

    public Task<FrozenAt> FreezeAsync(MessageHeader header) => throw new NotSupportedException();

    public Task ReleaseAsync(MessageHeader header) => throw new NotSupportedException();
}
