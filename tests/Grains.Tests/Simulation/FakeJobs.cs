using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The jobs of the simulations, and what each of them must end in.</summary>
internal static class FakeJobs
{
    /// <summary>Jobs that differ in all that the protocol treats differently; the second has an empty shard in every step.</summary>
    public static readonly FakeJob[] All =
    [
        new(new JobShape(23, 10, 4, 7), new Sgd { Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 }, new CosineSchedule(), null, BatchNormMode.Sync, RunningAverage.Exponential),
        new(new JobShape(8, 3, 4, 6), new Adam { LearningRate = 0.1 }, new ConstantSchedule { WarmUpSteps = 3 }, 0.5, BatchNormMode.Sync, RunningAverage.Cumulative, NonFiniteStep: 3),
        new(new JobShape(26, 13, 5, 5), new Lars { WeightDecay = 1e-3 }, new CosineSchedule(), 2, BatchNormMode.Shard, RunningAverage.Exponential),
        new(new JobShape(23, 10, 4, 5, DropLast: true), new Sgd { Momentum = 0.9 }, new CosineSchedule(), null, BatchNormMode.Sync, RunningAverage.Exponential),
        new(new JobShape(21, 10, 7, 6), new Sgd(), new StepSchedule { EverySteps = 2 }, null, BatchNormMode.Sync, RunningAverage.Exponential, NonFiniteStep: 1),
    ];

    private static readonly Lazy<FakeReference>[] References = [.. All.Select(job => new Lazy<FakeReference>(() => FakeReference.Of(job)))];

    /// <summary>What the job with this index comes to, whatever happens.</summary>
    public static FakeReference ReferenceOf(int job) => References[job].Value;

    /// <summary>The hash in which the job with this index ends, whatever happens.</summary>
    public static string ExpectedOf(int job) => ReferenceOf(job).End;

    /// <summary>Of everything that a run leaves behind.</summary>
    public static string Hash(FakeState state, IEnumerable<StepOutcome> outcomes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (float[] tensor in state.Weights.Concat(state.Slots.SelectMany(slot => slot)))
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(tensor));
        }

        foreach (BatchNormState norm in state.Statistics)
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(norm.RunningMean));
            hash.AppendData(MemoryMarshal.AsBytes<float>(norm.RunningVar));
        }

        foreach (StepOutcome outcome in outcomes)
        {
            hash.AppendData(MemoryMarshal.AsBytes<double>([outcome.Batch.LossSum, outcome.Batch.Correct, outcome.LearningRate, outcome.GradientNorm]));
        }

        JobPosition end = state.Position;
        hash.AppendData(MemoryMarshal.AsBytes<double>([end.Epoch.Sums.LossSum, end.Epoch.Sums.Correct, end.Epoch.Sums.Count, end.Updates, end.Step]));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
