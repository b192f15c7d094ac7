using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain hears of values that cannot be trusted.</summary>
internal sealed partial class JobGrain
{
    public Task<Answer> FoundAsync(MessageHeader header, StepFinding finding) => Take(machine => machine.Found(header, finding, _clock.Now));

    /// <summary>A worker has sent something else than before under the same key.</summary>
    private void Expel(string worker, JobFailure failure)
    {
        string why = failure.Message.TrimEnd('.');
        Machine.Expel(
            worker,
            $"contradicts itself ({why})",
            $"worker {worker} contradicts itself ({why}); its machine may be faulty: the job goes on without it, and takes it no more.",
            _clock.Now);
    }
}
