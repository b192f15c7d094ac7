namespace ConvNet.Engine.Optimizers;

/// <summary>
/// torch.optim.AdamW: weights shrink by 1 − ηλ, apart from the gradient.
/// Source: Loshchilov, Hutter, "Decoupled weight decay regularization" (2019).
/// </summary>
public sealed record AdamW : AdamFamily
{
    protected override bool Decoupled => true;
}
