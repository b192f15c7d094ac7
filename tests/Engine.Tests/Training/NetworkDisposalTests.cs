using System.Collections;
using System.Reflection;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Training;

public class NetworkDisposalTests
{
    private const string Model = """
        {"name":"every","input":[3,8,8],"layers":[
          {"type":"conv","out":12,"kernel":3,"padding":1,"groups":3},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"avgPool","size":1,"stride":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"dropout","rate":0.3},{"type":"residual","main":[{"type":"conv","out":12,"kernel":1},{"type":"batchNorm"}]},
          {"type":"groupNorm","groups":3},{"type":"layerNorm"},{"type":"relu"},{"type":"locallyConnected","out":5,"kernel":1},
          {"type":"flatten"},{"type":"fullyConnected","out":4}]}
        """;

    [Theory]
    [InlineData(KernelSet.Fast)]
    [InlineData(KernelSet.Reference)]
    public void A_disposed_network_keeps_no_native_memory(KernelSet kernels)
    {
        using var team = new ThreadTeam(1);
        var network = new Network(new Model(ModelFile.Parse(Model), BatchNormMode.Sync), team, kernels);
        var exchange = new LocalExchange(network);
        exchange.Initialize(1);
        Train(network, exchange, 4);
        Train(network, exchange, 6);
        exchange.PrepareEvaluation();
        network.Predict(8);
        List<Activation> buffers = [.. BuffersOf(network).Where(buffer => !IsFreed(buffer))];
        Assert.True(buffers.Count > network.Model.Layers.Count, $"only {buffers.Count} buffers found");

        network.Dispose();

        Assert.All(buffers, buffer => Assert.True(IsFreed(buffer), $"{buffer.Shape} for {buffer.Capacity} samples is not freed"));
        Assert.Throws<ObjectDisposedException>(() => network.Predict(8));
        network.Dispose();
    }

    private static void Train(Network network, LocalExchange exchange, int samples)
    {
        network.Input(samples);
        exchange.TrainStep(new ShardPlan(new ShardTree(samples, 2), 0, 2), 0, 1, new int[samples], [.. Enumerable.Range(0, samples)]);
    }

    private static unsafe bool IsFreed(Activation buffer)
    {
        try
        {
            return buffer.Data == null;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Every activation that the network's fields lead to.</summary>
    private static List<Activation> BuffersOf(Network network)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { network };
        var open = new Queue<object>([network]);
        while (open.TryDequeue(out object? found))
        {
            foreach (object next in Reachable(found).Where(seen.Add))
            {
                open.Enqueue(next);
            }
        }

        return [.. seen.OfType<Activation>()];
    }

    private static IEnumerable<object> Reachable(object holder)
    {
        IEnumerable<object?> values = holder is IEnumerable elements and not string
            ? elements.Cast<object?>()
            : Fields(holder.GetType()).Select(field => field.GetValue(holder));
        return values.Where(value => value is IEnumerable || value?.GetType().Assembly == typeof(Network).Assembly)!;
    }

    private static IEnumerable<FieldInfo> Fields(Type? type)
    {
        for (; type is not null && type != typeof(object); type = type.BaseType)
        {
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                if (!field.FieldType.IsPointer && !field.FieldType.IsPrimitive)
                {
                    yield return field;
                }
            }
        }
    }
}
