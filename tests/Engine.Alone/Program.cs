using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Engine.Alone;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

const int WarmUpSteps = 4;
const int Steps = 20;
const int Batch = 8;

switch (args)
{
    case ["allocations", string threads, .. string[] models]:
        foreach (string model in models)
        {
            (long training, long evaluation) = Allocations(ModelFile.Load(model), int.Parse(threads));
            Console.WriteLine($"{training} bytes in training, {evaluation} bytes in evaluation: {model}");
        }

        return 0;
    case ["weights", string model, string steps, string threads, string batchNorm]:
        string hash = WeightsHash(ModelFile.Load(model), int.Parse(steps), int.Parse(threads), Enum.Parse<BatchNormMode>(batchNorm));
        Console.WriteLine($"{hash} {(VectorWidth.IsWide ? "wide" : "narrow")} {VectorWidth.Bits}");
        return 0;
    case ["passes", string part]:
        using (var bits = new PassBits())
        {
            Console.WriteLine($"{bits.Hash(part)} {VectorWidth.Bits} {(VectorWidth.IsWide ? "wide" : "narrow")}");
        }

        return 0;
    default:
        Console.Error.WriteLine(
            "usage: Engine.Alone allocations THREADS MODEL... | weights MODEL STEPS THREADS Sync|Shard | passes PART");
        return 2;
}

// Bytes that the process allocates on the managed heap in some steps of training, and then in as many passes of evaluation.
static (long Training, long Evaluation) Allocations(ModelSpec model, int threads)
{
    using var team = new ThreadTeam(threads);
    using var network = new Network(new Model(model, BatchNormMode.Sync), team);
    var training = new LocalTraining(network, new Adam { LearningRate = 1e-3 }, seed: 1);
    var batches = new RandomBatches(network, Batch);
    long trained = Allocated(() => batches.Train(training, network));
    training.Exchange.PrepareEvaluation();
    int[] labels = new int[Batch];
    return (trained, Allocated(() => network.Evaluate(Batch, labels)));
}

// After a warm-up. What the runtime itself allocates once, late on a busy machine, is not in both of two measurements.
static long Allocated(Action step)
{
    Repeat(step, WarmUpSteps);
    return Math.Min(Bytes(), Bytes());

    long Bytes()
    {
        long before = GC.GetTotalAllocatedBytes(true);
        Repeat(step, Steps);
        return GC.GetTotalAllocatedBytes(true) - before;
    }
}

static void Repeat(Action step, int times)
{
    for (int i = 0; i < times; i++)
    {
        step();
    }
}

// SHA-256 over all weights and running statistics after some steps.
static string WeightsHash(ModelSpec model, int steps, int threads, BatchNormMode batchNorm)
{
    using var team = new ThreadTeam(threads);
    using var network = new Network(new Model(model, batchNorm), team);
    var training = new LocalTraining(network, new Sgd { LearningRate = 0.01, Momentum = 0.9 }, seed: 1);
    var batches = new RandomBatches(network, Batch);
    for (int i = 0; i < steps; i++)
    {
        batches.Train(training, network);
    }

    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    foreach (Parameter parameter in network.Model.Parameters)
    {
        hash.AppendData(MemoryMarshal.AsBytes<float>(training.Exchange.Values(parameter)));
    }

    foreach (var statistics in training.Exchange.Statistics)
    {
        hash.AppendData(MemoryMarshal.AsBytes<float>(statistics.RunningMean));
        hash.AppendData(MemoryMarshal.AsBytes<float>(statistics.RunningVar));
    }

    return Convert.ToHexStringLower(hash.GetHashAndReset());
}
