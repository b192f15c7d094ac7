using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Models;

/// <summary>One layer as a planner sees it.</summary>
/// <param name="Type">As in a model file.</param>
/// <param name="Arithmetic">How the output's height and width come about; "" where they stay.</param>
/// <param name="ReceptiveField">Input pixels of the model, height by width, that reach one output value.</param>
/// <param name="Parameters">Trainable values.</param>
/// <param name="Flops">Of forward for one sample; a multiply-add counts as 2.</param>
/// <param name="Share">Of the model's FLOPs, 0 … 1.</param>
public sealed record ModelRow(
    string Name, string Type, Shape Output, string Arithmetic, Size ReceptiveField, long Parameters, long Flops, double Share);
