using System.Collections.Concurrent;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A silo in which gradients can be spoiled on their way to the partitions.</summary>
public sealed class FaultySilo() : ClusterFixture(1)
{
    private readonly ConcurrentDictionary<(string Job, long Generation), Assignment> _assignments = [];

    /// <summary>Changes a copy of a gradient, or not; the worker is given by its key.</summary>
    public Action<string, GradientRoot, float[]> Spoil { get; set; } = (_, _, _) => { };

    /// <summary>True if the partition is to get the gradient a first time before it gets what the worker sends.</summary>
    public Func<string, GradientRoot, bool> SendsTwice { get; set; } = (_, _) => false;

    protected override void Configure(ISiloBuilder silo) => silo.AddIncomingGrainCallFilter(async context =>
    {
        if (context.Grain is IParameterServerGrain partition)
        {
            await MeetAsync(partition, context);
        }

        await context.Invoke();
    });

    private async Task MeetAsync(IParameterServerGrain partition, IIncomingGrainCallContext context)
    {
        if (context.MethodName == nameof(IParameterServerGrain.BeginAsync))
        {
            var begun = (Assignment)context.Request.GetArgument(0)!;
            _assignments[(begun.JobId, begun.Generation)] = begun;
        }
        else if (context.MethodName == nameof(IParameterServerGrain.PushAsync))
        {
            var root = (GradientRoot)context.Request.GetArgument(0)!;
            float[] gradient = ((TensorBlock)context.Request.GetArgument(1)!).Span.ToArray();
            string worker = _assignments[(root.Header.JobId, root.Header.Generation)].Workers[root.Header.Worker].Name;
            if (SendsTwice(worker, root))
            {
                float[] other = [.. gradient];
                other[0]++;
                await partition.PushAsync(root, new TensorBlock(other, 0, other.Length));
            }

            Spoil(worker, root, gradient);
            context.Request.SetArgument(1, new TensorBlock(gradient, 0, gradient.Length));
        }
    }
}
