using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Kernels.Pooling;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Of equal values the first in row order wins, and gets the gradient.</summary>
public sealed class MaxPool : PoolingLayer
{
    private bool _wasApplied;

    internal MaxPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, rows, columns)
    {
    }

    /// <summary>True if a batch norm and ReLU before this layer can pool within their pass.</summary>
    internal bool FitsNormalization => PooledNormalization.Fits(Rows, Columns);

    /// <summary>The batch norm that does so in training with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    public override Activation Forward(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        return _wasApplied ? x : base.Forward(x, step);
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient) =>
        _wasApplied && needsInputGradient ? dy : base.Backward(dy, step, needsInputGradient);

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        return _wasApplied ? OutputReader?.Invoke(x, step) : base.ReadInput(x, step);
    }

    internal override Action<int>? ReadGradient(Activation dy, StepContext step) => _wasApplied ? GradientReader?.Invoke(dy, step) : null;

    private protected override void ForwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, Span<float> y) =>
        kernel.MaxForward(x, y, Rows, Columns);

    private protected override void BackwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx) =>
        kernel.MaxBackward(x, dy, dx, Rows, Columns);
}
