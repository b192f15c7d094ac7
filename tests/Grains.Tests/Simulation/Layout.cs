using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How a job is spread, and what goes wrong. Must never change the result.</summary>
/// <param name="Workers">At the start.</param>
/// <param name="Deaths">Workers that die, one of them right after a decision; when nobody is left, somebody joins.</param>
/// <param name="Joins">Workers that the job has asked for and that are not there at the start.</param>
/// <param name="Conflicts">Messages sent twice with different bytes.</param>
/// <param name="Suspicions">Workers that are taken for dead, and work on.</param>
/// <param name="Orders">To save, to evaluate or to stop later, some of them told again long after.</param>
/// <param name="End">Stop or Cancel at some moment, or null.</param>
/// <param name="LosesClient">At some moment.</param>
/// <param name="Pauses">Orders to pause at some moment; some time after it is paused, the job is resumed.</param>
/// <param name="Withdrawals">Workers whose silos are to be stopped, and that leave at a rest.</param>
/// <param name="Vacates">How often the silo of a server is to be stopped.</param>
/// <param name="EndsSaved">The silo of the job grain is to be stopped at some moment.</param>
/// <param name="Slowdowns">Moments at which some worker is seen to be four times as slow as the others.</param>
/// <param name="NonFinites">How often a machine makes something of a step's first computation that is not finite.</param>
/// <param name="OtherBits">How often a machine gets other bits when a decided step runs again.</param>
/// <param name="ServerLosses">How often the state of the servers is lost.</param>
/// <param name="HeadCrashes">How often the job grain is lost, and another one goes on from the job's record.</param>
/// <param name="HeadCutOffs">How often it is taken for lost, and works on beside the one that follows it.</param>
/// <param name="StoreOutages">How often the store does not answer for some time.</param>
/// <param name="LostWrites">How often the store comes back without its last write.</param>
/// <param name="Freezes">How often some process does nothing for some time.</param>
/// <param name="Cuts">How often half of the processes cannot reach the others for some time.</param>
/// <param name="Silos">That serve; with two or more of them, every server has a standby.</param>
/// <param name="SiloDeaths">Of those, one of them right after a decision; a while later another one joins.</param>
/// <param name="SiloSuspicions">Of those, that are taken for dead, and work on.</param>
/// <param name="DiskFaults">In a thousand checkpoints, so many are written slowly, and so many not at all.</param>
/// <param name="IsBarren">Whoever is alone waits for another worker until the job gives up.</param>
/// <param name="IsDetached">Nobody sits beside the job.</param>
internal sealed record Layout(
    int Workers,
    int Partitions,
    NetworkFaults Faults,
    int Deaths = 0,
    int Joins = 0,
    int Conflicts = 0,
    int Suspicions = 0,
    int Orders = 0,
    JobOrderKind? End = null,
    bool LosesClient = false,
    int Pauses = 0,
    int Withdrawals = 0,
    int Vacates = 0,
    bool EndsSaved = false,
    int Slowdowns = 0,
    int NonFinites = 0,
    int OtherBits = 0,
    int ServerLosses = 0,
    int HeadCrashes = 0,
    int HeadCutOffs = 0,
    int StoreOutages = 0,
    int LostWrites = 0,
    int Freezes = 0,
    int Cuts = 0,
    int Silos = 1,
    int SiloDeaths = 0,
    int SiloSuspicions = 0,
    int DiskFaults = 0,
    bool IsBarren = false,
    bool IsDetached = false)
{
    /// <summary>Every server has a standby as soon as there are silos for them.</summary>
    public bool HasStandbys => Silos > 1;

    /// <summary>Then the store is asked over the network.</summary>
    public bool LosesHead => HeadCrashes + HeadCutOffs + StoreOutages + LostWrites + Freezes + Cuts + SiloDeaths + SiloSuspicions > 0;
}
