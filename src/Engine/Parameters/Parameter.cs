namespace ConvNet.Engine.Parameters;

/// <summary>
/// One trainable tensor of a layer: its place in the model and, on a worker, its values and gradient sums. That memory is made when it
/// is first asked for and belongs to the worker: the exchange fills the values, what runs the model fills the gradient sums. Whoever
/// only describes the model never asks.
/// </summary>
public sealed class Parameter
{
    /// <summary>Floats in a block, the unit in which parameters are owned, sent and updated.</summary>
    public const int BlockSize = 1024;

    private float[]? _values;
    private float[][] _roots = [];

    /// <param name="name">As in PyTorch's state_dict, e.g. "3.main.0.weight".</param>
    /// <param name="shape">PyTorch layout, e.g. (K, C, R, S).</param>
    /// <param name="layer">Index of the layer in the model, counted depth first.</param>
    /// <param name="ordinal">Index of this tensor in its layer: keys its initialization.</param>
    /// <param name="fanIn">Inputs of one output value: scales the initialization of weights.</param>
    /// <param name="fanOut">Outputs that one input value reaches.</param>
    /// <param name="deliveredByBatchNorm">True for γ and β of a synchronized batch norm: their gradients are the totals of its backward sums
    /// and are not pushed.</param>
    public Parameter(string name, int[] shape, ParameterRole role, int layer, int ordinal, int fanIn, int fanOut, bool deliveredByBatchNorm = false)
    {
        Name = name;
        Shape = shape;
        Role = role;
        Layer = layer;
        Ordinal = ordinal;
        FanIn = fanIn;
        FanOut = fanOut;
        DeliveredByBatchNorm = deliveredByBatchNorm;
        Count = shape.Aggregate(1, (product, side) => checked(product * side));
    }

    public string Name { get; }

    public int[] Shape { get; }

    public ParameterRole Role { get; }

    public int Layer { get; }

    public int Ordinal { get; }

    public int FanIn { get; }

    public int FanOut { get; }

    public bool DeliveredByBatchNorm { get; }

    /// <summary>Values without padding.</summary>
    public int Count { get; }

    public int BlockCount => (Count + BlockSize - 1) / BlockSize;

    /// <summary>The values in logical (PyTorch, C) order, zero-padded to whole blocks. Filled by the exchange.</summary>
    public float[] Values => _values ??= new float[BlockCount * BlockSize];

    /// <summary>
    /// The gradient, summed over the samples of each complete subtree: one array per root of the step's plan, in logical order,
    /// zero-padded to whole blocks. The arrays are reused from step to step.
    /// </summary>
    public float[] GradientRoot(int root) => _roots[root];

    /// <summary>Shares the values of the same tensor of another copy of the model.</summary>
    internal void ShareValues(Parameter other) => _values = other.Values;

    /// <summary>Makes room for the roots of this step. Called by the network before backward.</summary>
    internal void ReserveRoots(int roots)
    {
        if (_roots.Length < roots && !DeliveredByBatchNorm)
        {
            int old = _roots.Length;
            Array.Resize(ref _roots, roots);
            for (int root = old; root < roots; root++)
            {
                _roots[root] = new float[BlockCount * BlockSize];
            }
        }
    }

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
