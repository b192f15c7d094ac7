namespace ConvNet.Grains.Protocol.Partition;

/// <param name="firstBlock">Local number.</param>
/// <param name="gradient">Whole blocks.</param>
internal delegate void GradientVisitor(int firstBlock, ReadOnlySpan<float> gradient);
