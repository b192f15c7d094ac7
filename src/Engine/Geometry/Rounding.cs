namespace ConvNet.Engine.Geometry;

/// <summary>What to do when a window does not fit its input a whole number of times.</summary>
public enum Rounding
{
    /// <summary>The hyper-parameters are refused.</summary>
    Exact,

    /// <summary>The last rows or columns are ignored, as PyTorch does.</summary>
    Floor,
}
