using System.Collections.Concurrent;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>A step coordinator that keeps the workers' reports, and answers as the test says.</summary>
internal sealed class FakeCoordinator : IStepCoordinatorGrain
{
    public ConcurrentQueue<WorkerReport> Reports { get; } = [];

    /// <summary>Answers a report; the default accepts it at once.</summary>
    public Func<MessageHeader, Task<Answer>> OnReport { get; set; } = _ => Task.FromResult<Answer>(Verdict.Accepted);

    public Task<Answer> ReportAsync(WorkerReport report)
    {
        Reports.Enqueue(report);
        return OnReport(report.Header);
    }

    public Task<Answer> BeginAsync(Assignment assignment, JobPosition position) => throw new NotSupportedException();

    public Task<Answer> ReportAsync(PartitionReport report) => throw new NotSupportedException();

    public Task<Answer> ReportAsync(BatchNormReport report) => throw new NotSupportedException();

    public Task<Answer> NotifyAtAsync(MessageHeader header) => throw new NotSupportedException();

    public Task<StepProgress> ProgressAsync() => throw new NotSupportedException();

    public Task<Answer> FollowAsync(CoordinatorForward forward) => throw new NotSupportedException();

    public Task<FrozenAt> FreezeAsync(MessageHeader header) => throw new NotSupportedException();

    public Task ReleaseAsync(MessageHeader header) => throw new NotSupportedException();
}
