using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Models;

/// <summary>A model's layers with volumes, receptive fields, parameters and work; layers inside a residual block come before the block itself.</summary>
public static class ModelTable
{
    public static IReadOnlyList<ModelRow> Rows(Model model)
    {
        var rows = new List<ModelRow>();
        Add(rows, model.Spec.Layers, model.Sequence.Layers, new Reach(1, 1, 1));
        double total = Math.Max(1, rows.Sum(row => (double)row.Flops));
        return [.. rows.Select(row => row with { Share = row.Flops / total })];
    }

    private static Reach Add(List<ModelRow> rows, IReadOnlyList<LayerSpec> specs, IReadOnlyList<Layer> layers, Reach reach)
    {
        for (int i = 0; i < specs.Count; i++)
        {
            reach = Add(rows, specs[i], layers[i], reach);
        }

        return reach;
    }

    private static Reach Add(List<ModelRow> rows, LayerSpec spec, Layer layer, Reach reach)
    {
        Reach result = spec switch
        {
            FlattenSpec => reach with { Spread = new Size(layer.Input.H, layer.Input.W) },
            FullyConnectedSpec => reach.Gather(),
            _ => reach.Through(layer.Windows),
        };
        if (spec is ResidualSpec residual)
        {
            Layer[] main = [.. layer.Children.Take(residual.Main.Count)];
            Layer[] shortcut = [.. layer.Children.Skip(main.Length)];
            Reach mainReach = Add(rows, residual.Main, main, reach);
            result = mainReach.Union(Add(rows, residual.Shortcut ?? [], shortcut, reach));
        }

        rows.Add(new ModelRow(
            layer.Name,
            ModelJson.TypeName(spec),
            layer.Output,
            Arithmetic(spec, layer),
            result.Size,
            layer.Parameters.Sum(parameter => (long)parameter.Count),
            layer.Flops,
            0));
        return result;
    }

    private static string Arithmetic(LayerSpec spec, Layer layer)
    {
        if (spec is FlattenSpec)
        {
            return $"{layer.Input.C}*{layer.Input.H}*{layer.Input.W} = {layer.Output.C}";
        }

        if (spec is FullyConnectedSpec || layer.Windows is not var (rows, columns))
        {
            return "";
        }

        return rows == columns ? rows.Arithmetic : $"{rows.Arithmetic} by {columns.Arithmetic}";
    }

    /// <summary>What one value sees.</summary>
    /// <param name="Size">The receptive field along each axis.</param>
    /// <param name="Jump">How many input pixels apart neighbouring values look.</param>
    /// <param name="Spread">Pixels whose values a flatten has turned into channels.</param>
    private readonly record struct Reach(Size Size, Size Jump, Size Spread)
    {
        /// <summary>Fully connected: every value that a flatten has spread is seen.</summary>
        public Reach Gather() => new(
            new Size(Size.H + (Spread.H - 1) * Jump.H, Size.W + (Spread.W - 1) * Jump.W), Jump, 1);

        public Reach Through((Window Rows, Window Columns)? windows)
        {
            if (windows is not var (rows, columns))
            {
                return this;
            }

            var size = new Size(Size.H + (rows.Extent - 1) * Jump.H, Size.W + (columns.Extent - 1) * Jump.W);
            return new Reach(size, new Size(Jump.H * rows.Stride, Jump.W * columns.Stride), Spread);
        }

        public Reach Union(Reach other) =>
            this with { Size = new Size(Math.Max(Size.H, other.Size.H), Math.Max(Size.W, other.Size.W)) };
    }
}
