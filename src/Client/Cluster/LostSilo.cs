using System.Diagnostics;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Cluster;

/// <summary>Says in the user's words that a silo died under a run.</summary>
internal static partial class LostSilo
{
    /// <summary>The job notices within a few seconds which silo has left.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether a call of the client met a silo that no longer answers: what grains have to say themselves are other exceptions.</summary>
    public static bool IsBehind(Exception failure) => GrainFailure.IsLostContact(failure);

    /// <summary>What to tell: the job's own failure if it knows one by now.</summary>
    public static async Task<ConvNetException> ExplainAsync(IJobGrain job, Exception trouble, long step)
    {
        if (await FailureAsync(job) is { } failure)
        {
            return new ConvNetException((ExitCode)failure.ExitCode, failure.Message, trouble);
        }

        Match endpoint = Endpoint().Match(trouble.Message);
        return new ConvNetException(
            ExitCode.Environment,
            $"a silo of the cluster no longer answers{(endpoint.Success ? $" ({endpoint.Value})" : "")}; the run was at step {step}; start the silo again.",
            trouble);
    }

    private static async Task<JobFailure?> FailureAsync(IJobGrain job)
    {
        var asking = Stopwatch.StartNew();
        while (asking.Elapsed < Patience)
        {
            try
            {
                JobStatus status = await job.StatusAsync().WaitAsync(Patience);
                if (status.Failure is { } failure)
                {
                    return failure;
                }
            }
            catch (ConvNetException)
            {
                return null;
            }
            catch (Exception e) when (IsBehind(e))
            {
                // Perhaps the next silo knows more.
            }

            await Task.Delay(Pause);
        }

        return null;
    }

    [GeneratedRegex(@"\d{1,3}(\.\d{1,3}){3}:\d{1,5}")]
    private static partial Regex Endpoint();
}
