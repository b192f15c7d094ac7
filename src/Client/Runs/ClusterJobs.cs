using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>All jobs that a cluster knows, for somebody who looks on.</summary>
/// <param name="url">Of the cluster, for the error.</param>
internal sealed class ClusterJobs(ClusterConnection cluster, string url)
{
    private readonly ClusterContact _contact = new(() => $"the cluster {url}", TimeProvider.System);

    /// <returns>The jobs in the order of their submission, the newest first, and the ids of those that do not answer.</returns>
    public async Task<(IReadOnlyList<JobStatus> Jobs, IReadOnlyList<string> Silent)> AskAsync(CancellationToken cancellation = default)
    {
        string[] ids = await _contact.AskAsync(() => cluster.Jobs.ListAsync(), cancellation);
        JobStatus?[] known = await Task.WhenAll(ids.Select(StatusAsync)).WaitAsync(cancellation);
        return ([.. known.OfType<JobStatus>()], [.. ids.Where((_, i) => known[i] is null)]);
    }

    private async Task<JobStatus?> StatusAsync(string id)
    {
        try
        {
            return await cluster.Job(id).StatusAsync(new StatusQuery());
        }
        catch (Exception e) when (e is ConvNetException || GrainFailure.IsLostContact(e))
        {
            return null;
        }
    }
}
