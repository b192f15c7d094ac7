using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Configuration;
using ConvNet.Client.Views;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Data;
using Spectre.Console;

namespace ConvNet.Client.Commands;

/// <summary>data: which data sets there are, and whether a folder holds a sound one.</summary>
internal static class DataCommand
{
    public static Command Create(Terminal terminal)
    {
        var list = new Command(
            "list",
            """
            Lists the built-in data sets and whether this machine has them.

            Example: convnet data list
            """);
        list.SetAction(_ => List(terminal));

        var path = new Argument<string>("path") { Description = "Built-in name or folder", HelpName = "NAME|PATH" };
        var size = new Option<string?>("--size") { Description = "Resize an image folder's images", HelpName = "HxW" };
        Option<long?> channels = WholeNumber.Option("--channels", "Convert images to 1 (grey) or 3 (colour) channels");
        var share = new Option<double?>("--test-share") { Description = "Share of an image folder's training images kept for testing", HelpName = "X" };
        Option<bool> json = RunOptions.JsonOption();
        var check = new Command(
            "check",
            """
            Reads a whole data set, checks it, and says what is in it.

            Example: convnet data check /usr/share/datasets/fashion-mnist
            """)
        { path, size, channels, share, json };
        check.SetAction(parsed => Check(
            terminal,
            Section(parsed.GetValue(path)!, parsed.GetValue(size), parsed.GetValue(channels), parsed.GetValue(share)),
            parsed.GetValue(json)));

        return new Command("data", "Looks at data sets") { list, check };
    }

    private static int List(Terminal terminal)
    {
        foreach (string name in DatasetFiles.Names)
        {
            string? folder = DatasetFiles.TryFindBuiltIn(name);
            terminal.Out.WriteLine($"{name,-20} {folder ?? "not on this machine; Debian's package dataset-fashion-mnist has it"}");
        }

        return (int)ExitCode.Ok;
    }

    private static DataSection Section(string path, string? size, long? channels, double? share)
    {
        var section = new DataSection { Path = path, Size = size, Channels = channels, TestShare = share };
        Setting.Check(new TrainConfiguration { Data = section }, []);
        return section;
    }

    private static int Check(Terminal terminal, DataSection section, bool json)
    {
        string path = section.Path;
        Dataset data = DataCatalog.Open(path, section.Size, (int?)section.Channels, section.TestShare, mostFaults: int.MaxValue);
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "data.checked",
                ["trainSamples"] = data.Train.Count,
                ["testSamples"] = data.Test.Count,
                ["shape"] = new JsonArray(data.Shape.C, data.Shape.H, data.Shape.W),
                ["classes"] = data.ClassCount,
                ["sha256"] = data.Sha256,
                ["classNames"] = new JsonArray([.. data.ClassNames.Select(name => (JsonNode)name)]),
                ["remarks"] = new JsonArray([.. data.Remarks.Select(remark => (JsonNode)remark)]),
                ["warnings"] = new JsonArray([.. data.Warnings.Select(warning => (JsonNode)warning)]),
            };
            terminal.Out.WriteLine(fields.ToJsonString());
            return (int)ExitCode.Ok;
        }

        terminal.Out.WriteLine($"{path}: {data.Train.Count} training and {data.Test.Count} test images of {data.Shape}, {data.ClassCount} classes");
        terminal.Out.WriteLine($"mean    {Join(data.Mean)}");
        terminal.Out.WriteLine($"std     {Join(data.Std)}");
        terminal.Out.WriteLine($"sha256  {data.Sha256}");
        foreach (string remark in data.Remarks)
        {
            terminal.Out.WriteLine($"note: {remark}.");
        }

        foreach (string warning in data.Warnings)
        {
            terminal.Out.WriteLine($"warning: {warning}.");
        }

        int[] training = PerClass(data.Train);
        int[] test = PerClass(data.Test);
        string[] names = Names(terminal, data.ClassNames);
        for (int c = 0; c < data.ClassCount; c++)
        {
            terminal.Out.WriteLine($"{c,4}  {names[c]} {training[c],8} training {test[c],8} test");
        }

        return (int)ExitCode.Ok;
    }

    private static string Join(IEnumerable<double> values) =>
        string.Join("  ", values.Select(value => value.ToString("F4", CultureInfo.InvariantCulture)));

    /// <summary>As a column that leaves room for the numbers beside it.</summary>
    private static string[] Names(Terminal terminal, IEnumerable<string> classes)
    {
        const int Numbers = 38;
        int room = Math.Max(8, terminal.SizeNow.LineColumns - Numbers);
        string[] names = [.. classes.Select(name => ScreenText.Cut(terminal.Printable(name), room, Glyphs.For(terminal)))];
        int width = Math.Min(room, Math.Max(24, names.Max(name => name.GetCellWidth())));
        return [.. names.Select(name => ScreenText.Pad(name, width, atLeft: false))];
    }

    private static int[] PerClass(ImageSet set)
    {
        int[] counts = new int[set.ClassCount];
        foreach (int label in set.Labels)
        {
            counts[label]++;
        }

        return counts;
    }
}
