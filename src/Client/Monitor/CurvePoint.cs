namespace ConvNet.Client.Monitor;

/// <summary>A value of a curve.</summary>
/// <param name="Step">Of several steps, the mean.</param>
/// <param name="Value">Finite.</param>
internal readonly record struct CurvePoint(double Step, double Value);
