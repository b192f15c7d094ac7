namespace ConvNet.Grains.Contracts;

/// <summary>The jobs that this cluster knows; one grain, key 0.</summary>
[Alias("ConvNet.IJobDirectoryGrain")]
public interface IJobDirectoryGrain : IGrainWithIntegerKey
{
    /// <summary>Adds a job id, or fails with exit code 6 (conflict) if a live job has it.</summary>
    [Alias("Register")]
    Task RegisterAsync(string jobId);

    /// <summary>Job ids, newest first.</summary>
    [Alias("List")]
    Task<string[]> ListAsync();
}
