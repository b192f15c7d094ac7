namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Who has written a job's run folder before its run writer does.</summary>
public enum EarlierWriter
{
    /// <summary>Nobody for this job: the folder is new, or that of the run which the job resumes.</summary>
    None,

    /// <summary>The job's client; while that is only suspended, it holds the folder.</summary>
    Client,

    /// <summary>A silo that is gone: what it still holds, or writes when it wakes up, does not count.</summary>
    LostSilo,
}
