using ConvNet.Engine.Errors;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts.Wire;

/// <summary>What the engine defines travels in messages with every field.</summary>
public sealed class SurrogateTests : IDisposable
{
    private static readonly MessageHeader Header = new("job", 2, 3, 4, 5);

    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Metrics_arrive_with_every_bit()
    {
        WorkerReport read = RoundTrip(new WorkerReport(Header, [new Metrics(Math.PI, 7, 8), default]));

        Assert.Equal(Header, read.Header);
        Assert.Equal([new Metrics(Math.PI, 7, 8), default], read.Roots);
    }

    [Fact]
    public void Tree_nodes_arrive_with_level_and_index()
    {
        var root = new GradientRoot(Header, 9, new TreeNode(3, 6));

        Assert.Equal(root, RoundTrip(root));
    }

    [Fact]
    public void A_decision_arrives_with_its_settings_or_as_a_skip()
    {
        StepDecision read = RoundTrip(new StepDecision(Header, new StepSettings(0.1, 0.2, 0.3, 0.4, [0.5, 0.6])));
        StepDecision skip = RoundTrip(new StepDecision(Header, null));

        StepSettings settings = read.Settings!.Value;
        Assert.Equal((0.1, 0.2, 0.3, 0.4), (settings.LearningRate, settings.ClipFactor, settings.BiasCorrection1, settings.BiasCorrection2Root));
        Assert.Equal([0.5, 0.6], settings.TensorRates);
        Assert.True(skip.IsSkip);
        Assert.Equal(Header, skip.Header);
    }

    [Fact]
    public void An_error_arrives_as_itself_with_message_and_exit_code()
    {
        Exception read = RoundTrip<Exception>(new ConvNetException(ExitCode.Conflict, "what, and what to do", new IOException("inner")));

        ConvNetException error = Assert.IsType<ConvNetException>(read);
        Assert.Equal((ExitCode.Conflict, "what, and what to do"), (error.ExitCode, error.Message));
    }

    private T RoundTrip<T>(T value)
    {
        Serializer serializer = _services.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(value))!;
    }
}
