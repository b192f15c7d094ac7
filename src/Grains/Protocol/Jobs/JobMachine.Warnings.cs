using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job tells people of that it goes on with.</summary>
internal sealed partial class JobMachine
{
    /// <param name="warning">A sentence; the same one is told once.</param>
    public void Warn(string warning)
    {
        if (!HasEnded && _warnings.Count < MostWarnings && _warnings.Add(warning))
        {
            _events.Add(new RunEvent.Warning(warning));
        }
    }
}
