using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Some layers under test: fixed input and parameters, loss = Σ c·y with fixed c, over 4 uneven shards.</summary>
internal sealed class LayerProbe
{
    private const int Shards = 4;
    private const float Step = 1f / 256;

    private readonly LayerSequence _layers;
    private readonly StepContext _context;
    private readonly LocalHub _hub;
    private readonly Parameter[] _parameters;
    private readonly float[] _input;
    private readonly float[] _weights;
    private readonly Activation _x;
    private readonly int _samples;
    private float[] _y = [];
    private float[] _dx = [];
    private bool _paddingIsZero = true;

    public LayerProbe(string layers, Shape input, int samples, BatchNormMode mode, KernelSet kernels, ThreadTeam team)
    {
        string volume = $"[{input.C},{input.H},{input.W}]";
        ModelSpec spec = ModelFile.Parse($$"""{"name":"probe","input":{{volume}},"layers":[{{layers}}]}""");
        _layers = new ModelBuilder(mode).Build(spec.Layers, "", input);
        _parameters = [.. _layers.Walk().SelectMany(layer => layer.Parameters)];
        _samples = samples;
        var plan = new ShardPlan(new ShardTree(samples, Shards), 0, Shards);
        _hub = new LocalHub(plan.Tree, _ => { });
        _context = new StepContext(team, kernels)
        {
            Training = true,
            Plan = plan,
            Exchange = _hub.Worker(plan, [.. _layers.Walk().OfType<BatchNorm>()]),
            Samples = samples,
            Step = 3,
            Seed = 7,
            SampleIndices = [.. Enumerable.Range(100, samples)],
        };
        _x = new Activation(input, samples);
        _input = Values(samples * input.Count, 1);
        _weights = Values(samples * _layers.Output.Count, 2);
        for (int i = 0; i < _parameters.Length; i++)
        {
            Values(_parameters[i].Count, 3 + i).CopyTo(_parameters[i].Values, 0);
            _parameters[i].ReserveRoots(plan.Roots.Length);
        }
    }

    public void Run()
    {
        _y = Forward();
        Activation dy = Nchw.From(_layers.Output, _weights);
        Activation dx = _layers.Backward(dy, _context, needsInputGradient: true)!;
        _dx = Nchw.Read(dx, _samples);
        _paddingIsZero &= Nchw.PaddingIsZero(dx, _samples);
    }

    /// <summary>Forward as in evaluation, with running statistics that are not those of a fresh layer.</summary>
    public void Evaluate()
    {
        _context.Training = false;
        foreach (BatchNorm norm in _layers.Walk().OfType<BatchNorm>())
        {
            int channels = norm.Output.C;
            norm.LoadStatistics(new BatchNormState(
                norm.Name, Values(channels, 1000 + norm.Index), [.. Values(channels, 2000 + norm.Index).Select(value => value + 1.5f)]));
        }

        foreach (Layer layer in _layers.Walk())
        {
            layer.Load(_context);
        }

        _y = Forward();
    }

    /// <summary>The largest difference between two probes' outputs, relative to the largest value.</summary>
    public double OutputDifference(LayerProbe other) => Difference(_y, other._y);

    public bool PaddingIsZero() => _paddingIsZero;

    /// <summary>The largest error of 40 input gradients, relative to the largest one.</summary>
    public double InputError() => Error(_input, _dx);

    public double ParameterError() =>
        _parameters.Select(parameter => Error(parameter.Values.AsSpan(0, parameter.Count).ToArray(), _hub.Gradients[parameter.Name], parameter))
            .DefaultIfEmpty(0).Max();

    /// <summary>The largest difference between two probes in outputs and gradients, relative to the largest value of each tensor.</summary>
    public double Difference(LayerProbe other) => _parameters
        .Select(parameter => Difference(_hub.Gradients[parameter.Name], other._hub.Gradients[parameter.Name]))
        .Append(Difference(_y, other._y))
        .Append(Difference(_dx, other._dx))
        .Max();

    private static double Difference(float[] expected, float[] actual)
    {
        double largest = expected.Max(value => Math.Abs((double)value)) + 1e-9;
        return expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max() / largest;
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
    }

    private double Error(float[] values, float[] gradient, Parameter? parameter = null)
    {
        double largest = gradient.Max(value => Math.Abs((double)value)) + 1e-9;
        double worst = 0;
        int stride = Math.Max(1, values.Length / 40);
        int smooth = 0;
        for (int i = 0; i < values.Length; i += stride)
        {
            double wide = Slope(values, i, Step, parameter);
            double narrow = Slope(values, i, Step / 2, parameter);
            if (Math.Abs(wide - narrow) < 1e-3 * largest)
            {
                smooth++;
                worst = Math.Max(worst, Math.Abs(narrow - gradient[i]) / largest);
            }
        }

        return smooth * stride >= values.Length / 4 ? worst : double.PositiveInfinity;
    }

    /// <summary>Two widths that disagree have a kink between them: such elements say nothing about the gradient.</summary>
    private double Slope(float[] values, int index, float step, Parameter? parameter) =>
        (Loss(values, index, step, parameter) - Loss(values, index, -step, parameter)) / (2 * step);

    private double Loss(float[] values, int index, float change, Parameter? parameter)
    {
        float[] target = parameter?.Values ?? values;
        float before = target[index];
        target[index] = before + change;
        float[] y = Forward();
        target[index] = before;
        return y.Zip(_weights, (a, b) => (double)a * b).Sum();
    }

    private float[] Forward()
    {
        Nchw.Store(_input, _x);
        Activation y = _layers.Forward(_x, _context);
        _paddingIsZero &= Nchw.PaddingIsZero(y, _samples);
        return Nchw.Read(y, _samples);
    }
}
