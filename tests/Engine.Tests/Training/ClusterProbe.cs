using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Layers;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

/// <summary>One training step by several workers on threads of their own, whose sums meet in memory.</summary>
internal static class ClusterProbe
{
    /// <param name="ends">For each worker, one past its last shard; the last one is S.</param>
    /// <returns>A hash over losses, gradients and moments.</returns>
    public static string Run(
        string model, BatchNormMode mode, int batch, int[] ends, int threads, KernelSet kernels = KernelSet.Fast, ulong seed = 5)
    {
        ModelSpec spec = ModelFile.Parse(model);
        var tree = new ShardTree(batch, ends[^1]);
        var hub = new LocalHub(tree, parameter => Initialization.Fill(parameter, seed, InitializationKind.He, parameter.Values));
        Metrics loss = default;
        var workers = new List<Thread>();
        var failures = new List<Exception>();
        for (int i = 0; i < ends.Length; i++)
        {
            var plan = new ShardPlan(tree, i == 0 ? 0 : ends[i - 1], ends[i]);
            var worker = new Thread(() =>
            {
                try
                {
                    Metrics[] roots = RunWorker(new Model(spec, mode), plan, hub, threads, kernels, seed);
                    hub.Offer("loss", plan, roots, Metrics.Combine, sum => loss = sum);
                }
                catch (Exception e)
                {
                    lock (failures)
                    {
                        failures.Add(e);
                    }
                }
            });
            worker.IsBackground = true;
            worker.Start();
            workers.Add(worker);
        }

        foreach (Thread worker in workers)
        {
            worker.Join(TimeSpan.FromSeconds(60));
        }

        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }

        Assert.True(hub.IsIdle, "Not every gradient arrived from every worker.");
        return Hash(hub, loss);
    }

    private static Metrics[] RunWorker(Model model, ShardPlan plan, LocalHub hub, int threads, KernelSet kernels, ulong seed)
    {
        using var team = new ThreadTeam(threads);
        using var network = new Network(model, team, kernels);
        int[] positions = [.. Enumerable.Range(plan.FirstBatchPosition, plan.Samples)];
        IEnumerable<int> places = Enumerable.Range(0, model.Spec.Input.Count);
        float[] input = [.. positions.SelectMany(position => places.Select(i => ((i * 31 + position * 17) % 23 - 11) / 7f))];
        Nchw.Store(input, network.Input(Math.Max(1, plan.Samples)));
        int[] labels = [.. positions.Select(position => position % model.Classes)];
        int[] samples = [.. positions.Select(position => position * 7 + 3)];
        return network.TrainStep(plan, hub.Worker(plan, model.BatchNorms), 2, seed, labels, samples);
    }

    private static string Hash(LocalHub hub, Metrics loss)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(loss.LossSum));
        foreach ((string name, float[] gradient) in hub.Gradients)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(MemoryMarshal.AsBytes<float>(gradient));
        }

        foreach ((_, Moments moments) in hub.BatchMoments)
        {
            hash.AppendData(MemoryMarshal.AsBytes<double>(moments.Mean));
            hash.AppendData(MemoryMarshal.AsBytes<double>(moments.M2));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
