using ConvNet.Engine.Models;

namespace ConvNet.Client.Commands;

/// <param name="Steps">Measured steps, after the warm-up.</param>
internal sealed record BenchChoices(Model Model, int Batch, int Threads, int Steps, bool Json);
