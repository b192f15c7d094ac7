using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class StepProfileTests
{
    [Fact]
    public void A_step_reports_every_phase_of_every_layer_once_and_nested()
    {
        using var team = new ThreadTeam(1);
        using var network = new Network(new Model(ModelFile.Load("resnet20"), BatchNormMode.Sync), team);
        var seen = new Recorder();
        network.Profile = seen;
        var exchange = new LocalExchange(network);
        exchange.Initialize(1);
        int[] samples = [0, 1, 2, 3];
        exchange.TrainStep(new ShardPlan(new ShardTree(4, 4), 0, 4), 0, 1, samples, samples);

        Assert.Equal(0, seen.Open);
        foreach (Layer layer in network.Model.Layers)
        {
            StepPhase[] phases = layer is Convolution ? [StepPhase.BackwardWeights, StepPhase.Update] : [];
            phases = layer.Parameters.Count > 0 ? [StepPhase.Load, .. phases] : phases;
            StepPhase[] expected = [.. phases, StepPhase.Forward, StepPhase.BackwardData];
            Assert.Equal(expected.Order(), seen.Parts.Where(part => part.Layer == layer.Index).Select(part => part.Phase).Order());
        }

        Layer block = network.Model.Layers.First(layer => layer is Residual);
        Assert.All(block.Children, child => Assert.Equal(block.Index, seen.Parts.First(part => part.Layer == child.Index).Inside));
        Assert.Contains((network.Model.Layers.Count, StepPhase.Forward, -1), seen.Parts);
    }

    /// <summary>Keeps every part with the layer it lies in (−1: none).</summary>
    private sealed class Recorder : StepProfile
    {
        private readonly Stack<int> _open = new();

        public List<(int Layer, StepPhase Phase, int Inside)> Parts { get; } = [];

        public int Open => _open.Count;

        public override void Begin(int layer, StepPhase phase)
        {
            Parts.Add((layer, phase, _open.TryPeek(out int outer) ? outer : -1));
            _open.Push(layer);
        }

        public override void End() => _open.Pop();
    }
}
