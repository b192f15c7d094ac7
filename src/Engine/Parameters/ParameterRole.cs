namespace ConvNet.Engine.Parameters;

public enum ParameterRole
{
    Weight,
    Bias,

    /// <summary>γ of a normalization layer.</summary>
    Scale,

    /// <summary>β of a normalization layer.</summary>
    Shift,
}
