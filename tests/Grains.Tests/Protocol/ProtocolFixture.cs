using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Protocol;

/// <summary>A job of 2 workers, 4 shards and 6 steps: batch 8, and 4 samples in the last step of each epoch of 3.</summary>
internal static class ProtocolFixture
{
    public static readonly JobShape Job = new(20, 8, 4, 6);

    public static readonly StepSettings PlainStep = new(1, 1, 1, 1, []);

    /// <summary>One tensor of two blocks that workers push, and γ and β of a synchronized batch norm with 3 channels.</summary>
    public static readonly ParameterLayout Layout = new(
    [
        new Parameter("0.weight", [2000], ParameterRole.Weight, 0, 0, 1, 1),
        new Parameter("1.weight", [3], ParameterRole.Scale, 1, 0, 1, 1, deliveredByBatchNorm: true),
        new Parameter("1.bias", [3], ParameterRole.Shift, 1, 1, 1, 1, deliveredByBatchNorm: true),
    ]);

    /// <summary>Worker 0 has shards 0 and 1 (node 1.0), worker 1 has shards 2 and 3 (node 1.1).</summary>
    public static readonly TreeNode Left = new(1, 0);

    public static readonly TreeNode Right = new(1, 1);

    public static readonly BackwardSums Totals = new([1, 2, 3], [4, 5, 6]);

    public static Assignment TwoWorkers(long generation = 1, long firstStep = 0) => new(
        "job",
        "",
        generation,
        firstStep,
        [new AssignedWorker("a/0", 1, new ShardRange(0, 2), 1), new AssignedWorker("b/0", 1, new ShardRange(2, 4), 1)],
        new ServerKeys(["s/job/0"], "s/job", "s/job", "s/job"));

    /// <summary>The same with the shards exchanged: worker 0 is b/0.</summary>
    public static Assignment Exchanged(long generation, long firstStep = 0)
    {
        Assignment both = TwoWorkers(generation, firstStep);
        return both with
        {
            Start = AssignmentStart.GoOn,
            Workers = [both.Workers[1] with { Shards = both.Workers[0].Shards }, both.Workers[0] with { Shards = both.Workers[1].Shards }],
        };
    }

    public static MessageHeader From(int worker, long step = 0, long generation = 1) => new("job", generation, step, worker, 1);

    public static MessageHeader FromServer(long step = 0, long generation = 1) => new("job", generation, step);

    public static StepDecision Commit(long step = 0, long generation = 1) => new(FromServer(step, generation), PlainStep);

    public static StepDecision Skip(long step = 0, long generation = 1) => new(FromServer(step, generation), null);

    public static float[] Filled(int length, float value)
    {
        var floats = new float[length];
        Array.Fill(floats, value);
        return floats;
    }
}
