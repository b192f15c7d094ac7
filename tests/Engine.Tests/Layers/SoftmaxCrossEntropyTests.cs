using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class SoftmaxCrossEntropyTests
{
    private static readonly Shape Logits = new(10, 1, 1);

    [Fact]
    public void The_loss_and_its_gradient_are_those_of_softmax_cross_entropy_over_the_global_batch()
    {
        float[] values = [.. Enumerable.Range(0, 70).Select(i => (i * 37 % 19 - 9) / 3f)];
        int[] labels = [3, 1, 4, 1, 5, 9, 2];
        var logits = new Activation(Logits, 7);
        Nchw.Store(values, logits);
        var loss = new SoftmaxCrossEntropy(10);
        var plan = new ShardPlan(new ShardTree(7, 4), 0, 4);
        Metrics total = Assert.Single(loss.Forward(logits, labels, plan));
        float[] gradient = Nchw.Read(loss.Backward(), 7);
        double expected = 0;
        for (int n = 0; n < 7; n++)
        {
            double[] row = [.. values[(n * 10)..(n * 10 + 10)].Select(value => Math.Exp(value))];
            expected -= Math.Log(row[labels[n]] / row.Sum());
            for (int k = 0; k < 10; k++)
            {
                Assert.Equal((row[k] / row.Sum() - (k == labels[n] ? 1 : 0)) / 7, gradient[n * 10 + k], 7);
            }
        }

        Assert.Equal(expected, total.LossSum, 12);
        Assert.Equal(7, total.Count);
        Assert.Equal(total, loss.Evaluate(logits, labels, 7) with { LossSum = total.LossSum });
    }

    [Fact]
    public void Huge_logits_do_not_overflow_and_the_first_of_equal_ones_wins()
    {
        var logits = new Activation(Logits, 2);
        logits[0, 2, 0, 0] = 1e30f;
        logits[0, 7, 0, 0] = 1e30f;
        var loss = new SoftmaxCrossEntropy(10);
        Assert.Equal(new Metrics(Math.Log(2), 1, 1), Rounded(loss.Evaluate(logits, [2], 1)));
        Assert.Equal(0, loss.Evaluate(logits, [7], 1).Correct);
    }

    [Fact]
    public void A_label_outside_the_classes_is_refused()
    {
        var loss = new SoftmaxCrossEntropy(10);
        ConvNetException error = Assert.Throws<ConvNetException>(() => loss.Evaluate(new Activation(Logits, 1), [10], 1));
        Assert.Contains("class 10", error.Message);
    }

    private static Metrics Rounded(Metrics metrics) =>
        metrics with { LossSum = Math.Abs(metrics.LossSum - Math.Log(2)) < 1e-14 ? Math.Log(2) : metrics.LossSum };
}
