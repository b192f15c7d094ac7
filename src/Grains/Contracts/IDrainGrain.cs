using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>Empties a silo of jobs without loss, and hears which others are being emptied; the key is "{silo}/drain".</summary>
[Alias("ConvNet.IDrainGrain")]
public interface IDrainGrain : IGrainWithStringKey
{
    /// <summary>
    /// The silo takes nothing on from now on, until its process ends, and all jobs are told to leave it; they do so at the next step boundary at which
    /// they rest. To be repeated until nothing is there.
    /// </summary>
    /// <param name="stops">Its process is about to end.</param>
    /// <exception cref="Engine.Errors.ConvNetException">
    /// Unless it stops: the cluster cannot do without it (exit code 3 or 4). Nothing has happened then.
    /// </exception>
    [Alias("Empty"), AlwaysInterleave, ResponseTimeout("00:00:08")]
    Task<DrainReport> EmptyAsync(bool stops);

    /// <summary>Another silo is being emptied: nothing is to be placed there from here.</summary>
    /// <param name="address">Of the silo, as Orleans writes it: one that is started again under its name is not meant.</param>
    [Alias("Note"), AlwaysInterleave, ResponseTimeout("00:00:01")]
    Task NoteAsync(string address, SiloState state);
}
