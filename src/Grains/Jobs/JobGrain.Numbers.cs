using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain hears of values that cannot be trusted.</summary>
internal sealed partial class JobGrain
{
    public Task<Answer> FoundAsync(MessageHeader header, StepFinding finding) => Take(machine => machine.Found(header, finding, _clock.Now));
}
