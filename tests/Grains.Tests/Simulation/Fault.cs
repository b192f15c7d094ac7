namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What a faulty machine makes of a worker's part in one step.</summary>
internal enum Fault
{
    None,

    /// <summary>A NaN in the moments of the first batch norm, from which every worker has it then.</summary>
    NonFiniteMoments,

    NonFiniteGradient,

    /// <summary>One bit of a gradient is another one.</summary>
    OtherBits,
}
