using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Pooling;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>What max and average pooling share at run time: a sample at a time, each block of 8 channels by itself.</summary>
public abstract class PoolingLayer : Layer
{
    private readonly Action<int> _poolSample;
    private readonly Action<int, int> _poolItem;
    private readonly Action<int, int> _backwardSample;
    private Activation? _own;
    private Activation? _ownGradient;
    private PoolingKernel _kernel = null!;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _dx = null!;
    private Activation? _pooled;
    private Action<int>? _reader;
    private Action<int>? _gradientReader;

    private protected PoolingLayer(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, new Shape(input.C, rows.Output, columns.Output))
    {
        Rows = rows;
        Columns = columns;
        _poolSample = PoolSample;
        _poolItem = (n, _) => PoolSample(n);
        _backwardSample = BackwardSample;
    }

    public override long Flops => (long)Rows.Kernel * Columns.Kernel * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (Rows, Columns);

    private protected Window Rows { get; }

    private protected Window Columns { get; }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!ReferenceEquals(x, _pooled))
        {
            ReadInput(x, step);
            step.Team.Run(step.Samples, _poolItem);
        }

        _pooled = null;
        return _y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        _dy = dy;
        _dx = Reserve(ref _ownGradient, Input, dy.Capacity);
        _gradientReader = GradientReader?.Invoke(_dx, step);
        step.Team.Run(step.Samples, _backwardSample);
        return _dx;
    }

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        _kernel = PoolingKernel.For(step.Kernels);
        _x = x;
        _y = ReserveOutput(ref _own, x.Capacity, step);
        _reader = OutputReader?.Invoke(_y, step);
        _pooled = x;
        return _poolSample;
    }

    private protected abstract void ForwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, Span<float> y);

    private protected abstract void BackwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx);

    private void PoolSample(int n)
    {
        for (int block = 0; block < Input.Blocks; block++)
        {
            ForwardBlock(_kernel, _x.Block(n, block), _y.Block(n, block));
        }

        _reader?.Invoke(n);
    }

    private void BackwardSample(int n, int thread)
    {
        for (int block = 0; block < Input.Blocks; block++)
        {
            BackwardBlock(_kernel, _x.Block(n, block), _dy.Block(n, block), _dx.Block(n, block));
        }

        _gradientReader?.Invoke(n);
    }
}
