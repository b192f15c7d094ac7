using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// One evaluation of a job: which worker evaluates which blocks of test samples, and what has come back. The result does not depend
/// on who evaluated what. Pure.
/// </summary>
/// <param name="assignment">The generation that evaluates.</param>
/// <param name="version">What is evaluated.</param>
/// <param name="samples">In the whole test set.</param>
internal sealed class EvaluationRun(Assignment assignment, long version, int samples)
{
    private readonly Metrics?[] _blocks = new Metrics?[Evaluation.BlockCount(samples)];

    public long Version => version;

    public bool IsComplete => _blocks.All(block => block is not null);

    /// <summary>The sum over all test samples; only when complete.</summary>
    public Metrics Result => Evaluation.Sum([.. _blocks.Select(block => block!.Value)]);

    /// <summary>The blocks first … end − 1 of a worker; may be none.</summary>
    public (int First, int End) BlocksOf(int worker) =>
        ((int)((long)_blocks.Length * worker / assignment.Workers.Length), (int)((long)_blocks.Length * (worker + 1) / assignment.Workers.Length));

    /// <summary>Takes the sums of consecutive blocks, once.</summary>
    public Answer Take(MessageHeader header, int firstBlock, IReadOnlyList<Metrics> blocks)
    {
        if (header.JobId != assignment.JobId || header.Generation != assignment.Generation || header.Step != version)
        {
            return Verdict.Stale;
        }

        if ((uint)header.Worker >= (uint)assignment.Workers.Length || BlocksOf(header.Worker) != (firstBlock, firstBlock + blocks.Count))
        {
            return new Answer(
                Verdict.Rejected, $"worker {header.Worker} evaluated blocks {firstBlock} to {firstBlock + blocks.Count - 1}, which are not its own");
        }

        if (blocks.Count == 0 || _blocks[firstBlock] is not null)
        {
            return blocks.Select((block, i) => _blocks[firstBlock + i] == block).All(same => same)
                ? Verdict.Duplicate
                : new Answer(
                    Verdict.Conflict,
                    $"worker {assignment.Workers[header.Worker].Name} evaluated blocks from {firstBlock} at step {version} twice with different results");
        }

        for (int i = 0; i < blocks.Count; i++)
        {
            _blocks[firstBlock + i] = blocks[i];
        }

        return Verdict.Accepted;
    }
}
