using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>A preset in a formula state: weights, running statistics, input and labels.</summary>
internal sealed class NetState : IDisposable
{
    public const int DataShards = 4;
    public const float InputScale = 2;
    private const int Threads = 2;

    private readonly ThreadTeam _team = new(Threads);
    private readonly GoldenCase _golden;

    public NetState(string net, int state, KernelSet kernels)
    {
        _golden = GoldenFile.Read(net).Cases[state];
        Network = new Network(new Model(ModelPresets.Find(net)!, BatchNormMode.Sync), _team, kernels);
        Exchange = new LocalExchange(Network);
        foreach (Parameter parameter in Network.Model.Parameters)
        {
            Initial(parameter).CopyTo(Exchange.Values(parameter));
        }

        for (int norm = 0; norm < Network.Model.BatchNorms.Count; norm++)
        {
            BatchNorm layer = Network.Model.BatchNorms[norm];
            Exchange.Statistics[norm] = RunningStatistics.Before(_golden, layer.Name, layer.Output.C);
        }

        int inputs = _golden.Batch * Network.Model.Spec.Input.Count;
        Nchw.Store(GoldenFile.Input(_golden, inputs, InputScale), Network.Input(_golden.Batch));
    }

    public Network Network { get; }

    public LocalExchange Exchange { get; }

    public float[] Initial(Parameter parameter) => _golden.StateOf(parameter.Name).Values(_golden.Seed, parameter.Count);

    /// <summary>Forward and backward of the whole batch; returns the mean loss.</summary>
    public double Train()
    {
        var plan = new ShardPlan(new ShardTree(_golden.Batch, DataShards), 0, DataShards);
        int[] labels = Formula.Labels(_golden.Seed, _golden.Batch, Network.Model.Classes);
        Metrics metrics = Exchange.TrainStep(plan, 0, 1, labels, [.. Enumerable.Range(0, _golden.Batch)]);
        return metrics.LossSum / metrics.Count;
    }

    /// <summary>Logits in evaluation mode, (N, classes).</summary>
    public float[] Predict()
    {
        Exchange.PrepareEvaluation();
        return Nchw.Read(Network.Predict(_golden.Batch), _golden.Batch);
    }

    public void Dispose()
    {
        Network.Dispose();
        _team.Dispose();
    }
}
