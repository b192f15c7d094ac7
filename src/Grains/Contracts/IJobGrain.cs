using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// One training job; the key is its id. A client composes the plan, submits it with the job, steers by orders and follows the status; the
/// job carries the plan out by itself. A submission and an order return when they are in the cluster's store, and nothing waits for what they ask for;
/// what goes wrong afterwards is in <see cref="JobStatus.Failure"/>. A call whose answer is lost may be repeated.
/// </summary>
[Alias("ConvNet.IJobGrain")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Takes the job on. It finds its workers and servers, and starts, behind this call.</summary>
    /// <exception cref="Engine.Errors.ConvNetException">The id is in use by another job (exit code 6), or the job makes no sense (3).</exception>
    [Alias("Submit"), ResponseTimeout("00:00:10")]
    Task SubmitAsync(JobSubmission submission);

    /// <summary>Steers the job.</summary>
    /// <exception cref="Engine.Errors.ConvNetException">The job is not known (exit code 3), has ended (6), or another client holds its lease (6).</exception>
    [Alias("Order"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task OrderAsync(JobOrder order);

    /// <summary>Gives an orphaned job another client, and a place again in its turn.</summary>
    /// <exception cref="Engine.Errors.ConvNetException">The job is not known (exit code 3), or is not orphaned (6).</exception>
    [Alias("TakeUp"), AlwaysInterleave, ResponseTimeout("00:00:10")]
    Task<TakenUpJob> TakeUpAsync(JobTakeUp request);

    /// <summary>
    /// What the job is doing now. Cheap; meant to be asked a few times per second by any number of viewers. A question to a silo that has just died is
    /// answered by nobody: the next one, after the time-out, is what tells people of it.
    /// </summary>
    /// <exception cref="Engine.Errors.ConvNetException">The job is not known (exit code 3).</exception>
    [Alias("Status"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    Task<JobStatus> StatusAsync(StatusQuery query);
}
