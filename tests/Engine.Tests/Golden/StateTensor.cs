namespace ConvNet.Engine.Tests.Golden;

/// <summary>A parameter or running statistic that the formula fills; see README.md beside this file.</summary>
internal sealed record StateTensor(
    string Name, uint Tensor, float Scale, float Offset, uint MomentumTensor = 0, float MomentumScale = 0)
{
    public float[] Values(uint seed, int count) => Formula.Values(seed, Tensor, count, Scale, Offset);

    public float[] Momentum(uint seed, int count) => Formula.Values(seed, MomentumTensor, count, MomentumScale);
}
