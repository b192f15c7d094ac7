using ConvNet.Engine.Geometry;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>What to call for each sample of <paramref name="values"/> that is complete, on the thread that has it in its cache; or null.</summary>
internal delegate Action<int>? SampleReader(Activation values, StepContext step);

/// <summary>
/// One layer of a model: its shapes, parameters and work from the start; at run time it owns its output and what backward needs. Contract:
/// forward reads <c>x</c> and keeps a reference to it until backward; backward gets ∂loss/∂output (already scaled by 1/B, never
/// averaged), may overwrite it, leaves the gradient roots of its parameters in <see cref="Parameter.GradientRoot"/>, calls
/// <see cref="StepExchange.GradientReady"/> for each, and returns ∂loss/∂input (its own buffer, or <c>dy</c> overwritten).
/// Buffers are allocated at the first forward, for the capacity of <c>x</c>, and reused: a built model that never runs costs nothing.
/// Padding lanes of activations and gradients are zero on entry and must be zero on return. A disposed layer must not run again.
/// Neighbours may work on each sample while it is in cache: a layer asks <see cref="OutputReader"/> before it computes its output,
/// and <see cref="GradientReader"/> before it computes ∂loss/∂input, and calls what it gets for each sample that is complete.
/// </summary>
public abstract class Layer(string name, int index, Shape input, Shape output) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>As in PyTorch's state_dict: "0", "3.main.0".</summary>
    public string Name { get; } = name;

    /// <summary>Index in the model, counted depth first; keys random numbers.</summary>
    public int Index { get; } = index;

    public Shape Input { get; } = input;

    public Shape Output { get; } = output;

    /// <summary>Own parameters, weight before bias, γ before β.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>Layers inside this one (residual blocks), in the order of the state_dict.</summary>
    public virtual IReadOnlyList<Layer> Children => [];

    /// <summary>Floating-point operations of forward for one sample; a multiply-add counts as 2.</summary>
    public virtual long Flops => 0;

    /// <summary>The windows that slide over height and width, if any.</summary>
    public virtual (Window Rows, Window Columns)? Windows => null;

    /// <summary><see cref="ReadInput"/> of the layer that reads this one's output, if it is the only one that does.</summary>
    internal SampleReader? OutputReader { get; set; }

    /// <summary><see cref="ReadGradient"/> of the layer whose output this one reads, if this is the only one that does.</summary>
    internal SampleReader? GradientReader { get; set; }

    /// <summary>This layer and all inside it, depth first, children after their parent.</summary>
    internal IEnumerable<Layer> Walk() => Children.SelectMany(child => child.Walk()).Prepend(this);

    /// <summary>Takes over <see cref="Parameter.Values"/> after they have changed: packs them for the kernels.</summary>
    public virtual void Load(StepContext step)
    {
    }

    /// <summary>
    /// Takes over what the same layer of another copy of the model has loaded for evaluation: both then evaluate the same function, each on
    /// a thread of its own.
    /// </summary>
    internal virtual void Share(Layer loaded, StepContext step)
    {
        for (int p = 0; p < Parameters.Count; p++)
        {
            Parameters[p].ShareValues(loaded.Parameters[p]);
        }

        Load(step);
    }

    /// <param name="x">(N, C, H, W) with N ≥ <see cref="StepContext.Samples"/> slots.</param>
    public abstract Activation Forward(Activation x, StepContext step);

    /// <param name="dy">Shape of the output; may be overwritten.</param>
    /// <param name="needsInputGradient">False for the first layer: the result is then null.</param>
    public abstract Activation? Backward(Activation dy, StepContext step, bool needsInputGradient);

    /// <summary>
    /// Lets the layer before call this one for each sample of its output <paramref name="x"/> while the sample is in cache. The next
    /// <see cref="Forward"/> gets the same <paramref name="x"/>, and finds that part of its work done.
    /// </summary>
    /// <returns>Null if there is nothing to do.</returns>
    internal virtual Action<int>? ReadInput(Activation x, StepContext step) => null;

    /// <summary>The same for the layer after this one and <see cref="Backward"/>; <paramref name="dy"/> is ∂loss/∂output.</summary>
    internal virtual Action<int>? ReadGradient(Activation dy, StepContext step) => null;

    /// <summary>Frees the buffers of this layer, but not of its <see cref="Children"/>. No pass may be running.</summary>
    public void Dispose()
    {
        _owned.ForEach(resource => resource.Dispose());
        _owned.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>A buffer of this layer, made or grown to hold <paramref name="capacity"/> samples; new memory is zero.</summary>
    protected Activation Reserve(ref Activation? buffer, Shape shape, int capacity)
    {
        if (buffer is null || buffer.Capacity < capacity)
        {
            if (buffer is not null)
            {
                _owned.Remove(buffer);
                buffer.Dispose();
            }

            buffer = Own(new Activation(shape, capacity));
        }

        return buffer;
    }

    /// <summary>Room for the output of forward. In evaluation by one thread it has arbitrary contents; otherwise it is a buffer of this layer.</summary>
    private protected Activation ReserveOutput(ref Activation? own, int capacity, StepContext step)
    {
        if (step.Buffers is null)
        {
            return Reserve(ref own, Output, capacity);
        }

        own ??= Own(Activation.View(Output, capacity));
        step.Buffers.Take(own);
        return own;
    }

    /// <summary>Leaves <paramref name="resource"/> to this layer to dispose.</summary>
    protected T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
