using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Servers;

/// <summary>How the servers of a job tell each other things while nobody waits: again until it is taken, and to the job grain if it never is.</summary>
internal static class ServerCalls
{
    /// <param name="who">The sender, for the error.</param>
    public static async Task TellAsync(IGrainFactory grains, ServerAssignment assignment, string who, Func<Task<PushReply>> call)
    {
        try
        {
            await GrainCalls.DeliverAsync(call, () => who);
        }
        catch (Exception e)
        {
            // Nobody awaits this task, so whatever went wrong must reach the job here.
            await grains.GetGrain<IJobControlGrain>(assignment.JobId).FailedAsync(assignment.Generation, who, JobException.From(e).ToFailure());
        }
    }
}
