using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Two branches that are added, then a ReLU. Where main ends with a convolution and its batch norm, the fast kernels normalize, add and
/// apply the ReLU in one pass; the batch norm of the shortcut takes part in it. Backward masks the gradient, measures the batch norms'
/// sums and adds the branches' gradients where these are in cache anyway.
/// </summary>
public sealed class Residual : Layer
{
    private readonly LayerSequence _main;
    private readonly LayerSequence _shortcut;
    private readonly BatchNorm? _mainNorm;
    private readonly BatchNorm? _shortcutNorm;
    private readonly Action<int> _addSample;
    private readonly Action<int> _maskSample;
    private readonly Action<int> _addGradientSample;
    private readonly Action<int, int> _addItem;
    private readonly Action<int, int> _maskItem;
    private readonly Action<int, int> _addGradientItem;
    private readonly Action<int, int> _copyItem;
    private Activation? _own;
    private Activation? _ownGradient;

    // Of the pass in progress; backward finds what forward left.
    private Activation _mainOutput = null!;
    private Activation _shortcutOutput = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _mainGradient = null!;
    private Activation? _shortcutGradient;
    private Activation? _added;
    private Activation? _masked;
    private Activation? _gradientAdded;
    private Action<int>? _reader;
    private Action<int>? _mainSums;
    private Action<int>? _shortcutSums;
    private Action<int>? _gradientReader;
    private bool _normalizes;

    internal Residual(string name, int index, LayerSequence main, LayerSequence shortcut)
        : base(name, index, main.Input, main.Output)
    {
        _main = main;
        _shortcut = shortcut;
        Children = [.. main.Layers, .. shortcut.Layers];
        _addSample = AddSample;
        _maskSample = MaskSample;
        _addGradientSample = AddGradientSample;
        _addItem = (n, _) => AddSample(n);
        _maskItem = (n, _) => MaskSample(n);
        _addGradientItem = (n, _) => AddGradientSample(n);
        _copyItem = (n, _) => _dy.SampleSpan(n).CopyTo(_ownGradient!.SampleSpan(n));
        main.Layers[^1].OutputReader = ReadMain;
        main.Layers[0].GradientReader = ReadMainGradient;

        // The shortcut must not overwrite dy, which main still needs.
        bool keepsGradient = shortcut.Layers.Count == 0 || shortcut.Layers[^1] is BatchNorm { IsFolded: true } or Convolution;
        if (main.Layers[^1] is BatchNorm { IsFolded: true } norm && keepsGradient)
        {
            _mainNorm = norm;
            norm.FeedsSum = true;
        }

        if (_mainNorm is not null && shortcut.Layers.Count > 0 && shortcut.Layers[^1] is BatchNorm other)
        {
            _shortcutNorm = other;
            other.FeedsSum = true;
        }
    }

    public override IReadOnlyList<Layer> Children { get; }

    /// <summary>The addition and the ReLU; the branches count for themselves.</summary>
    public override long Flops => 2L * Output.Count;

    internal LayerSequence Main => _main;

    internal LayerSequence Shortcut => _shortcut;

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!step.Training && step.Kernels == KernelSet.Fast)
        {
            return Evaluate(x, step);
        }

        _normalizes = _mainNorm is not null && step.Kernels == KernelSet.Fast;
        _mainOutput = _main.Forward(x, step);
        _shortcutOutput = _shortcut.Forward(x, step);
        _y = Reserve(ref _own, Output, x.Capacity);
        _reader = OutputReader?.Invoke(_y, step);
        step.Team.Run(step.Samples, _addItem);
        return _y;
    }

    /// <summary>Lets the layer after mask this layer's gradient, and measure the sums of the batch norms.</summary>
    internal override Action<int>? ReadGradient(Activation dy, StepContext step)
    {
        _dy = dy;
        _mainSums = _normalizes ? _mainNorm!.ReadGradient(dy, step) : null;
        _shortcutSums = _normalizes ? _shortcutNorm?.ReadGradient(dy, step) : null;
        _masked = dy;
        return _maskSample;
    }

    /// <summary>The shortcut goes first: its parameters come last in the model, so their gradients are due first.</summary>
    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!ReferenceEquals(dy, _masked))
        {
            ReadGradient(dy, step);
            step.Team.Run(step.Samples, _maskItem);
        }

        _masked = null;
        _shortcutGradient = _shortcut.Backward(_normalizes ? dy : Copy(step), step, needsInputGradient);
        Activation? dx = _main.Backward(dy, step, needsInputGradient);
        if (dx is null || _shortcutGradient is null)
        {
            return null;
        }

        if (!ReferenceEquals(dx, _gradientAdded))
        {
            ReadMainGradient(dx, step);
            step.Team.Run(step.Samples, _addGradientItem);
        }

        _gradientAdded = null;
        return dx;
    }

    /// <summary>The shortcut goes first, so that the sum can be taken in main's memory while main's last layer has it in cache.</summary>
    private Activation Evaluate(Activation x, StepContext step)
    {
        _normalizes = false;
        _shortcutOutput = _shortcut.Forward(x, step);
        _added = null;
        Activation main = _main.Forward(x, step);
        if (!ReferenceEquals(main, _added))
        {
            _mainOutput = main;
            _y = ReserveOutput(ref _own, x.Capacity, step);
            _reader = OutputReader?.Invoke(_y, step);
            step.Team.Run(step.Samples, _addItem);
            step.Buffers?.Release(main, kept: x);
        }

        step.Buffers?.Release(_shortcutOutput, kept: x);
        return _y;
    }

    /// <summary>In evaluation, the sum and the ReLU in the memory of main's last layer, unless that is the shortcut's as well.</summary>
    private Action<int>? ReadMain(Activation main, StepContext step)
    {
        if (step.Training || step.Kernels != KernelSet.Fast || ReferenceEquals(main, _shortcutOutput))
        {
            return null;
        }

        _mainOutput = main;
        _y = main;
        _reader = OutputReader?.Invoke(main, step);
        _added = main;
        return _addSample;
    }

    /// <summary>Adds the shortcut's gradient to main's, for the layer before this one.</summary>
    private Action<int>? ReadMainGradient(Activation dx, StepContext step)
    {
        if (_shortcutGradient is null)
        {
            return null;
        }

        _mainGradient = dx;
        _gradientReader = GradientReader?.Invoke(dx, step);
        _gradientAdded = dx;
        return _addGradientSample;
    }

    /// <summary>Main and shortcut need a gradient each, as either may overwrite its own.</summary>
    private Activation Copy(StepContext step)
    {
        Activation copy = Reserve(ref _ownGradient, Output, _dy.Capacity);
        step.Team.Run(step.Samples, _copyItem);
        return copy;
    }

    private void AddSample(int n)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            ReadOnlySpan<float> main = _mainOutput.Block(n, block), shortcut = _shortcutOutput.Block(n, block);
            if (!_normalizes)
            {
                NormalizedSum.Forward(main, shortcut, _y.Block(n, block));
            }
            else if (_shortcutNorm is null)
            {
                NormalizedSum.Forward(main, _mainNorm!.Constants(n, block), shortcut, _y.Block(n, block));
            }
            else
            {
                NormalizedSum.Forward(
                    main, _mainNorm!.Constants(n, block), shortcut, _shortcutNorm.Constants(n, block), _y.Block(n, block));
            }
        }

        _reader?.Invoke(n);
    }

    private void MaskSample(int n)
    {
        ReLU.Mask(_y.SampleSpan(n), _dy.SampleSpan(n));
        _mainSums?.Invoke(n);
        _shortcutSums?.Invoke(n);
    }

    private void AddGradientSample(int n)
    {
        GradientTree.Add(_mainGradient.SampleSpan(n), _shortcutGradient!.SampleSpan(n));
        _gradientReader?.Invoke(n);
    }
}
