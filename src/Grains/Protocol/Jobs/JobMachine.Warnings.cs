using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job tells people of that it goes on with.</summary>
internal sealed partial class JobMachine
{
    /// <summary>A silo with servers of the job does not answer; the membership will tell whether it is lost.</summary>
    /// <param name="reason">A clause that follows the silo's name: "has not answered for 3.1 s".</param>
    /// <param name="roles">What is there of the job.</param>
    public void WarnOfSilence(string silo, string reason, IEnumerable<string> roles) =>
        Tell($"silo '{silo}' {reason}; the job waits for its {string.Join(", ", roles)} at step {Step}.");

    /// <param name="warning">A sentence; the same one is told once.</param>
    public void Warn(string warning)
    {
        if (_warnings.Count < MostWarnings && _warnings.Add(warning))
        {
            Tell(_warnings.Count < MostWarnings
                ? warning
                : $"{warning} This is the {MostWarnings}th warning of the job, and further ones of this kind are not told.");
        }
    }

    private void Tell(string warning)
    {
        if (!HasEnded)
        {
            _events.Add(new RunEvent.Warning(warning));
        }
    }
}
