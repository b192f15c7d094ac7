namespace ConvNet.Engine.Layers;

/// <summary>(C, H, W) to CHW values in that order.</summary>
public sealed record FlattenSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name)
    {
        Limits.CheckVolume($"layer '{name}' (flatten)", new Shape(input.Count, 1, 1));
        return new Shape(input.Count, 1, 1);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new Flatten(name, builder.NextLayer(), input, OutputShape(input, name));
}

/// <summary>Converts the blocked layout to a flat one; with one pixel both are the same memory.</summary>
public sealed unsafe class Flatten(string name, int index, Shape input, Shape output) : Layer(name, index, input, output)
{
    private Activation? _y;
    private Activation? _dx;

    public override Activation Forward(Activation x, StepContext step)
    {
        if (Input.Area == 1)
        {
            return x;
        }

        Activation y = Reserve(ref _y, Output, x.Capacity);
        step.Team.Run(step.Samples, (n, _) =>
        {
            float* flat = y.Sample(n);
            for (int c = 0; c < Input.C; c++, flat += Input.Area)
            {
                float* plane = x.Data + x.Index(n, c, 0, 0);
                for (int i = 0; i < Input.Area; i++)
                {
                    flat[i] = plane[i * 8];
                }
            }
        });
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (Input.Area == 1 || !needsInputGradient)
        {
            return needsInputGradient ? dy : null;
        }

        Activation dx = Reserve(ref _dx, Input, dy.Capacity);
        step.Team.Run(step.Samples, (n, _) =>
        {
            float* flat = dy.Sample(n);
            for (int c = 0; c < Input.C; c++, flat += Input.Area)
            {
                float* plane = dx.Data + dx.Index(n, c, 0, 0);
                for (int i = 0; i < Input.Area; i++)
                {
                    plane[i * 8] = flat[i];
                }
            }
        });
        return dx;
    }
}
