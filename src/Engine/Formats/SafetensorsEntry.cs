namespace ConvNet.Engine.Formats;

/// <summary>
/// One tensor as the header describes it; <paramref name="Begin"/> and <paramref name="End"/> count from the start of the data.
/// </summary>
internal sealed record SafetensorsEntry(string Name, string Type, int[] Shape, int Count, long Begin, long End);
