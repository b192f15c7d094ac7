namespace ConvNet.Engine.Tests.Golden;

/// <summary>Where a run takes its parameters from, by name.</summary>
internal delegate float[] ParameterSource(string name, int count);
