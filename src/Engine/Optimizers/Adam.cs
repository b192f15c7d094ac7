namespace ConvNet.Engine.Optimizers;

/// <summary>torch.optim.Adam: weight decay is added to the gradient.</summary>
public sealed record Adam : AdamFamily
{
    protected override bool Decoupled => false;
}
