using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;

namespace ConvNet.Engine.Training;

/// <summary>
/// The parameters of a runner that keeps them on its device, with their gradients and the optimizer's slots, from step to step. The runner owns it.
/// </summary>
public abstract class KeptParameters
{
    /// <summary>Takes over <see cref="Parameter.Values"/> of all parameters, and zeros for the slots.</summary>
    public abstract void Load();

    /// <summary>Updates all parameters by the gradients of the last step, which are summed over all shards; does not wait for it.</summary>
    public abstract void Update(StepSettings settings);

    /// <summary>Brings the values to <see cref="Parameter.Values"/>.</summary>
    public abstract void Read();
}
