using System.Security.Cryptography;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

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
        var meeting = new MeetingPoint(tree);
        var workers = new List<Thread>();
        var failures = new List<Exception>();
        for (int i = 0; i < ends.Length; i++)
        {
            var plan = new ShardPlan(tree, i == 0 ? 0 : ends[i - 1], ends[i]);
            var worker = new Thread(() =>
            {
                try
                {
                    RunWorker(spec, mode, plan, meeting, threads, kernels, seed);
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

        return failures.Count == 0 ? meeting.Hash() : throw new AggregateException(failures);
    }

    private static void RunWorker(
        ModelSpec spec, BatchNormMode mode, ShardPlan plan, MeetingPoint meeting, int threads, KernelSet kernels, ulong seed)
    {
        using var team = new ThreadTeam(threads);
        using var network = new Network(new Model(spec, mode), team, kernels);
        var exchange = new WorkerExchange(plan, meeting, seed);
        Activation input = network.Input(Math.Max(1, plan.Samples));
        var labels = new int[plan.Samples];
        var indices = new int[plan.Samples];
        for (int n = 0; n < plan.Samples; n++)
        {
            int position = plan.FirstBatchPosition + n;
            labels[n] = position % network.Model.Classes;
            indices[n] = position * 7 + 3;
            for (int i = 0; i < spec.Input.Count; i++)
            {
                int c = i / spec.Input.Area;
                int pixel = i % spec.Input.Area;
                input[n, c, pixel / spec.Input.W, pixel % spec.Input.W] = ((i * 31 + position * 17) % 23 - 11) / 7f;
            }
        }

        Metrics[] metrics = network.TrainStep(plan, exchange, 2, seed, labels, indices);
        for (int root = 0; root < metrics.Length; root++)
        {
            meeting.Offer("loss", plan.Roots[root], metrics[root], Metrics.Combine, value => BitConverter.GetBytes(value.LossSum));
        }
    }

    /// <summary>Completes one tree for each name; readers wait until it is complete.</summary>
    private sealed class MeetingPoint(ShardTree tree)
    {
        private readonly Dictionary<string, object> _trees = [];
        private readonly SortedDictionary<string, byte[]> _results = new(StringComparer.Ordinal);

        public void Offer<T>(string name, TreeNode node, T value, Func<T, T, T> combine, Func<T, byte[]> bytes)
        {
            lock (_trees)
            {
                if (!_trees.TryGetValue(name, out object? completion))
                {
                    _trees[name] = completion = new TreeCompletion<T>(tree, combine);
                }

                var typed = (TreeCompletion<T>)completion;
                typed.Offer(node, value);
                if (typed.IsComplete)
                {
                    _results[name] = bytes(typed.Result!);
                    Monitor.PulseAll(_trees);
                }
            }
        }

        public T Wait<T>(string name)
        {
            lock (_trees)
            {
                while (!_results.ContainsKey(name))
                {
                    if (!Monitor.Wait(_trees, TimeSpan.FromSeconds(30)))
                    {
                        throw new TimeoutException($"{name} is not complete.");
                    }
                }

                return ((TreeCompletion<T>)_trees[name]).Result!;
            }
        }

        public string Hash()
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((string name, byte[] bytes) in _results)
            {
                hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name));
                hash.AppendData(bytes);
            }

            return Convert.ToHexString(hash.GetHashAndReset());
        }
    }

    private sealed class WorkerExchange(ShardPlan plan, MeetingPoint meeting, ulong seed) : StepExchange
    {
        public override void Pull(Parameter parameter) =>
            Initialization.Fill(parameter, seed, InitializationKind.He, parameter.Values);

        public override void GradientReady(Parameter parameter)
        {
            float[][] roots = [.. Enumerable.Range(0, plan.Roots.Length).Select(root => parameter.GradientRoot(root)[..parameter.Count])];
            OfferAll(parameter.Name, roots, (left, right) => [.. left.Zip(right, (a, b) => a + b)], Bytes);
        }

        public override Moments ReduceMoments(int norm, Moments[] roots)
        {
            ReportMoments(norm, roots);
            return meeting.Wait<Moments>($"moments {norm}");
        }

        public override BackwardSums ReduceBackwardSums(int norm, BackwardSums[] roots)
        {
            OfferAll($"sums {norm}", roots, BackwardSums.Combine, value => [.. Bytes(value.Dy), .. Bytes(value.DyXhat)]);
            return meeting.Wait<BackwardSums>($"sums {norm}");
        }

        public override void ReportMoments(int norm, Moments[] roots) =>
            OfferAll($"moments {norm}", roots, Moments.Combine, value => [.. Bytes(value.Mean), .. Bytes(value.M2)]);

        private static byte[] Bytes<T>(T[] values)
            where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

        private void OfferAll<T>(string name, T[] roots, Func<T, T, T> combine, Func<T, byte[]> bytes)
        {
            for (int root = 0; root < roots.Length; root++)
            {
                meeting.Offer(name, plan.Roots[root], roots[root], combine, bytes);
            }
        }
    }
}
