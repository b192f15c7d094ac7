namespace ConvNet.Gpu.Kernels.Loss;

/// <summary>How many classes there are, and lanes: classes rounded up to whole blocks.</summary>
internal readonly struct Classes(int count, int lanes)
{
    public readonly int Count = count;
    public readonly int Lanes = lanes;
}
