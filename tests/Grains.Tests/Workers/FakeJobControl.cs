using System.Collections.Concurrent;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>A job grain that keeps what its workers tell of failures.</summary>
internal sealed class FakeJobControl : IJobControlGrain
{
    public ConcurrentQueue<JobFailure> Failures { get; } = [];

    public Task<Answer> FailedAsync(MessageHeader header, string who, JobFailure failure)
    {
        Failures.Enqueue(failure);
        return Task.FromResult<Answer>(Verdict.Accepted);
    }

    public Task<Answer> EvaluationDoneAsync(MessageHeader header, int firstBlock, Metrics[] blocks) => throw new NotSupportedException();

    public Task<Answer> ProtectedAsync(MessageHeader header, int server) => throw new NotSupportedException();

    public Task<Answer> LostStandbyAsync(MessageHeader header, int server, string reason) => throw new NotSupportedException();

    public Task<Answer> FoundAsync(MessageHeader header, StepFinding finding) => throw new NotSupportedException();

    public Task<Answer> ProgressAsync(MessageHeader header, StepProgress progress) => throw new NotSupportedException();

    public Task<bool> WantsCheckpointAsync(string writer, long step) => throw new NotSupportedException();

    public Task<bool> NeedsAsync(string server) => throw new NotSupportedException();

    public Task<Answer> WorkerSeenAsync(MessageHeader header, WorkerStatus status) => throw new NotSupportedException();

    public Task<string?> LeaveSiloAsync(string silo, string address, bool stops) => throw new NotSupportedException();

    public Task<bool> ForgetAsync() => throw new NotSupportedException();

    public Task<bool> IsLiveAsync() => throw new NotSupportedException();

    public Task<bool> NeedsCheckpointsAsync() => throw new NotSupportedException();
}
