using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using Xunit;

namespace ConvNet.Engine.Tests.Parameters;

public class InitializationTests
{
    [Fact]
    public void Initialization_has_the_variance_of_He_and_of_Xavier_and_depends_on_layer_and_seed()
    {
        var model = new Model(ModelFile.Load("vgg11-bn"), BatchNormMode.Sync);
        Parameter weight = model.Parameters.Single(parameter => parameter.Name == "8.weight");
        Assert.Equal(2.0 / (128 * 9), Variance(InitializationKind.He, 1), 2.0 / (128 * 9) * 0.02);
        Assert.Equal(2.0 / ((128 + 256) * 9), Variance(InitializationKind.Xavier, 1), 2.0 / (384 * 9) * 0.02);
        Assert.NotEqual(Variance(InitializationKind.He, 1), Variance(InitializationKind.He, 2));
        Parameter gamma = model.Parameters.Single(parameter => parameter.Name == "9.weight");
        var values = new float[gamma.Count];
        Initialization.Fill(gamma, 1, InitializationKind.He, values);
        Assert.All(values, value => Assert.Equal(1, value));

        double Variance(InitializationKind kind, ulong seed)
        {
            var weights = new float[weight.Count];
            Initialization.Fill(weight, seed, kind, weights);
            return weights.Average(value => (double)value * value);
        }
    }
}
