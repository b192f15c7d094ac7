using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary>A <see cref="ConvNetException"/> as it travels: the same message and exit code, without its stack.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.ConvNetException")]
internal readonly record struct ConvNetExceptionSurrogate([property: Id(0)] ExitCode ExitCode, [property: Id(1)] string Message);

[RegisterConverter]
internal sealed class ConvNetExceptionConverter : IConverter<ConvNetException, ConvNetExceptionSurrogate>
{
    public ConvNetException ConvertFromSurrogate(in ConvNetExceptionSurrogate surrogate) => new(surrogate.ExitCode, surrogate.Message);

    public ConvNetExceptionSurrogate ConvertToSurrogate(in ConvNetException value) => new(value.ExitCode, value.Message);
}
