namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>Floats between weights of neighbouring groups, of channels that result and of channels that are summed over.</summary>
internal readonly record struct WeightSteps(int Group, int Output, int Channel);
