namespace ConvNet.Engine.Parameters;

/// <summary>Up to 1,024 consecutive floats of one tensor in logical order; the atom of ownership, transport and update.</summary>
/// <param name="Tensor">Index of the tensor in the model's order.</param>
/// <param name="Offset">First float within the tensor.</param>
/// <param name="Length">Floats that are not padding.</param>
public readonly record struct Block(int Tensor, int Offset, int Length);
