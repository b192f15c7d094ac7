using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;

namespace ConvNet.Client.Commands;

/// <summary>model show: a model's layers, before anything is trained.</summary>
internal static class ModelCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = "Preset or model file", HelpName = "NAME|FILE.json" };
        var data = new Option<string?>("--data") { Description = "Say how images of this data set are adapted to the model", HelpName = "NAME|PATH" };
        var size = new Option<string?>("--size") { Description = "Resize an image folder's images", HelpName = "HxW" };
        Option<long?> batch = WholeNumber.Option("--batch", "Check that this batch suits the batch norms, and show its activations' memory");
        Option<bool> json = RunOptions.JsonOption();
        var show = new Command(
            "show",
            """
            Shows a model layer by layer: volumes with their arithmetic, receptive fields, parameters, FLOPs.

            Example: convnet model show vgg11-bn --data fashion-mnist-mini
            """)
        { model, data, size, batch, json };
        show.SetAction(parsed => Show(
            terminal,
            ModelFile.Load(parsed.GetValue(model)!),
            parsed.GetValue(data) is { } path ? DataCatalog.Open(path, parsed.GetValue(size)) : null,
            parsed.GetValue(batch) is { } samples ? WholeNumber.InRange("--batch", samples, 1, JobLimits.MaxBatch) : null,
            parsed.GetValue(json)));
        return new Command("model", "Looks at models") { show };
    }

    private static int Show(Terminal terminal, ModelSpec spec, Dataset? data, int? batch, bool json)
    {
        var model = new Model(spec, BatchNormMode.Sync);
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(model);
        InputAdapter? adapter = data is null ? null : InputAdapter.For(data, spec.Input);
        if (batch is { } samples)
        {
            model.CheckBatch(samples);
        }

        if (json)
        {
            terminal.Out.WriteLine(Json(spec, rows).ToJsonString());
            return (int)ExitCode.Ok;
        }

        terminal.Say($"{spec.Name}: input {spec.Input}, {rows.Count} layers");
        if (adapter is not null)
        {
            terminal.Say(adapter.Describe());
        }

        WriteTable(terminal, rows);
        terminal.Say(
            $"{Count(rows.Sum(row => row.Parameters))} parameters, " +
            $"{Count(rows.Sum(row => row.Flops))} FLOPs for one image forward (a multiply-add is 2)");
        if (batch is { } count)
        {
            long bytes = rows.Sum(row => (long)row.Output.Blocks * row.Output.Area * 8 * sizeof(float)) * count;
            terminal.Say($"Activations of a batch of {count}: {Count(bytes >> 20)} MiB");
        }

        return (int)ExitCode.Ok;
    }

    private static void WriteTable(Terminal terminal, IReadOnlyList<ModelRow> rows)
    {
        var table = new TextTable(
            terminal,
            new Column("layer", 0, IsNumber: false),
            new Column("type", 1, IsNumber: false),
            new Column("output", 2, IsNumber: false),
            new Column("arithmetic", 3, IsNumber: false),
            new Column("receptive field", 6, IsNumber: false),
            new Column("parameters", 4),
            new Column("FLOPs", 5),
            new Column("share of FLOPs", 7));
        foreach (ModelRow row in rows)
        {
            table.Add(
                row.Name,
                row.Type,
                row.Output.ToString(),
                row.Arithmetic,
                $"{row.ReceptiveField.H}x{row.ReceptiveField.W}",
                row.Parameters == 0 ? "" : Count(row.Parameters),
                row.Flops == 0 ? "" : Count(row.Flops),
                row.Share < 0.0005 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100 * row.Share:F1} %"));
        }

        int width = terminal.SizeNow.LineColumns;
        terminal.Out.WriteLine();
        foreach (string line in table.Lines(width))
        {
            terminal.Out.WriteLine(line);
        }

        terminal.Out.WriteLine();
        if (table.LeftOut(width) is { Count: > 0 } headings)
        {
            terminal.Say($"Not shown, for want of columns: {string.Join(", ", headings)}.");
        }
    }

    private static JsonObject Json(ModelSpec model, IReadOnlyList<ModelRow> rows) => new()
    {
        ["name"] = model.Name,
        ["input"] = new JsonArray(model.Input.C, model.Input.H, model.Input.W),
        ["parameters"] = rows.Sum(row => row.Parameters),
        ["flops"] = rows.Sum(row => row.Flops),
        ["layers"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            ["type"] = row.Type,
            ["output"] = new JsonArray(row.Output.C, row.Output.H, row.Output.W),
            ["arithmetic"] = row.Arithmetic,
            ["receptiveField"] = new JsonArray(row.ReceptiveField.H, row.ReceptiveField.W),
            ["parameters"] = row.Parameters,
            ["flops"] = row.Flops,
        })]),
    };

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
