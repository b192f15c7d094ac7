namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What the states of a job mean.</summary>
public static class JobStates
{
    /// <summary>True if nothing will happen to the job any more: its workers and servers are free.</summary>
    public static bool IsEnd(this JobState state) =>
        state is JobState.Completed or JobState.Stopped or JobState.Failed or JobState.Cancelled;

    /// <summary>As people and scripts are told.</summary>
    public static string InWords(this JobState state) => state.ToString().ToLowerInvariant();
}
