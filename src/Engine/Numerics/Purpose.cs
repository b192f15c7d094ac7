namespace ConvNet.Engine.Numerics;

/// <summary>What random numbers are for. Numbers of different purposes never share a counter.</summary>
public enum Purpose
{
    Shuffle = 1,
    Augmentation = 2,
    Dropout = 3,
    Initialization = 4,
}
