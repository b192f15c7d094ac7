using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Training;
using Xunit;

namespace ConvNet.Gpu.Tests.Training;

/// <summary>The same training on the processor and on an emulated device, compared after every step and in evaluation.</summary>
internal sealed class TwinTraining : IDisposable
{
    private const ulong Seed = 42;

    private readonly ThreadTeam _team = new(1);
    private readonly Network _network;
    private readonly ModelRunner _runner;
    private readonly LocalTraining _expected;
    private readonly LocalTraining _actual;
    private readonly bool _keepsParameters;
    private readonly RandomValues _random = new(17);

    /// <param name="optimizer">SGD with Nesterov momentum and weight decay if null.</param>
    /// <param name="keepsParameters">On the device.</param>
    public TwinTraining(
        GpuDevice device, ModelSpec spec, BatchNormMode mode = BatchNormMode.Sync, OptimizerSpec? optimizer = null, bool keepsParameters = false)
    {
        _network = new Network(new Model(spec, mode), _team);
        _runner = device.CreateRunner(new Model(spec, mode), _team);
        optimizer ??= new Sgd { LearningRate = 0.05, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 };
        _keepsParameters = keepsParameters;
        _expected = new LocalTraining(_network, optimizer, Seed);
        _actual = new LocalTraining(_runner, optimizer, Seed, keepsParameters: keepsParameters);
    }

    /// <summary>Parts of passes that the device was handed, and how many of these it has repeated as one.</summary>
    public (long All, long Repeated) Parts => ((GpuNetwork)_runner).Parts;

    /// <summary>Some steps of a batch each.</summary>
    public void AssertSameSteps(int steps, int batch)
    {
        for (int step = 0; step < steps; step++)
        {
            int[] labels = Fill(batch);
            int[] samples = [.. Enumerable.Range(step * batch, batch)];
            Metrics expected = _expected.Step(labels, samples), actual = _actual.Step(labels, samples);
            Assert.Equal(BitConverter.DoubleToInt64Bits(expected.LossSum), BitConverter.DoubleToInt64Bits(actual.LossSum));
            Assert.Equal(expected, actual);
            _actual.ReadParameters();
            AssertSameState($"step {step}");
        }
    }

    /// <summary>The logits of a batch with the weights and running statistics of now.</summary>
    public void AssertSameEvaluation(int batch)
    {
        _expected.Exchange.PrepareEvaluation();
        _actual.Exchange.PrepareEvaluation();
        int[] labels = Fill(batch);
        Assert.Equal(_network.Evaluate(batch, labels), _runner.Evaluate(batch, labels));
        Activation expected = _network.Predict(batch), actual = _runner.Predict(batch);
        for (int n = 0; n < batch; n++)
        {
            Bits.AssertSame(expected.SampleSpan(n), actual.SampleSpan(n), $"logits of sample {n}");
        }
    }

    /// <summary>Evaluation is of the values in the processor's memory, wherever those that are trained are; these stay as they are.</summary>
    public void AssertEvaluatesOtherValues(int batch)
    {
        float[][] trained = [.. _network.Model.Parameters.Select(tensor => tensor.Values.ToArray())];
        foreach ((Parameter left, Parameter right) in _network.Model.Parameters.Zip(_runner.Model.Parameters))
        {
            left.Values[0] = right.Values[0] = 0.5f;
        }

        AssertSameEvaluation(batch);
        foreach ((Parameter tensor, float[] values) in _network.Model.Parameters.Zip(trained))
        {
            values.CopyTo(tensor.Values, 0);
        }
    }

    public void Dispose()
    {
        _runner.Dispose();
        _network.Dispose();
        _team.Dispose();
    }

    private void AssertSameState(string when)
    {
        foreach ((Parameter left, Parameter right) in _network.Model.Parameters.Zip(_runner.Model.Parameters))
        {
            if (!_keepsParameters)
            {
                Bits.AssertSame(_expected.Exchange.Gradient(left), _actual.Exchange.Gradient(right), $"{when}: gradient of {left.Name}");
            }

            Bits.AssertSame(left.Values, right.Values, $"{when}: {left.Name}");
        }

        foreach ((BatchNormState left, BatchNormState right) in _expected.Exchange.Statistics.Zip(_actual.Exchange.Statistics))
        {
            Bits.AssertSame(left.RunningMean, right.RunningMean, $"{when}: running mean of {left.Name}");
            Bits.AssertSame(left.RunningVar, right.RunningVar, $"{when}: running variance of {left.Name}");
        }
    }

    /// <summary>Random images for both, and their classes.</summary>
    private int[] Fill(int batch)
    {
        Activation left = _network.Input(batch), right = _runner.Input(batch);
        Engine.Geometry.Shape shape = _network.Model.Spec.Input;
        for (int n = 0; n < batch; n++)
        {
            for (int i = 0; i < shape.Count; i++)
            {
                (int c, int h, int w) = (i / shape.Area, i % shape.Area / shape.W, i % shape.W);
                left[n, c, h, w] = right[n, c, h, w] = _random.Float();
            }
        }

        return [.. Enumerable.Range(0, batch).Select(_ => _random.Number(0, _network.Model.Classes - 1))];
    }
}
