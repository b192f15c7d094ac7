using ConvNet.Engine.Layers;
using ConvNet.Engine.Optimizers;
using ConvNet.Grains.Protocol;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Everything that a checkpoint holds, by tensor.</summary>
internal sealed record FakeState(
    float[][] Weights,
    float[][][] Slots,
    IReadOnlyList<BatchNormState> Statistics,
    long BatchesSeen,
    CoordinatorState Coordinator)
{
    public static FakeState Initial(FakeModel model, OptimizerSpec optimizer) => new(
        [.. Enumerable.Range(0, model.Layout.Tensors.Count).Select(model.InitialWeights)],
        [.. optimizer.SlotNames.Select(_ => model.Layout.Tensors.Select(tensor => new float[tensor.Count]).ToArray())],
        model.InitialStatistics(),
        0,
        CoordinatorState.Initial);
}
