using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Training;
using ConvNet.Gpu.Devices;
using ConvNet.Silo.Devices;

namespace ConvNet.Client.Commands;

/// <summary>devices: what workers of this machine can compute on.</summary>
internal static class DevicesCommand
{
    /// <param name="Driver">Of a GPU.</param>
    /// <param name="Problem">Why it cannot be used, or null if it can.</param>
    private sealed record Row(string Name, string What, long MemoryBytes, string? Driver, string? Problem);

    public static Command Create(Terminal terminal)
    {
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        var command = new Command(
            "devices",
            """
            Shows what workers can compute on here: the processor, and each GPU with its memory and driver, or what is missing for one.

            Example: convnet devices
            """)
        { json };
        command.SetAction(parsed => Run(terminal, parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, bool json)
    {
        (IReadOnlyList<CudaCard> cards, string? missing) = Gpus.Read();
        Row[] rows =
        [
            new(CpuDevice.CommonName, $"{ProcessorName()}, {Environment.ProcessorCount} cores, vectors of {VectorWidth.Bits} bits", MemoryBytes(), null, null),
            .. cards.Select(card => new Row(
                card.Device, $"{card.Name}, compute capability {card.Capability}", card.MemoryBytes, card.Driver, Gpus.ProblemOf(card))),
        ];
        string[] usable = [.. rows.Where(row => row is { Driver: not null, Problem: null }).Select(row => row.Name)];
        string[] automatic = usable.Length > 0 ? usable : [CpuDevice.CommonName];
        if (json)
        {
            terminal.Out.WriteLine(Json(rows, missing, automatic).ToJsonString());
        }
        else
        {
            Write(terminal, rows, missing, automatic);
        }

        return (int)ExitCode.Ok;
    }

    private static void Write(Terminal terminal, Row[] rows, string? missing, string[] automatic)
    {
        var table = new TextTable(
            terminal,
            new Column("device", 0, IsNumber: false),
            new Column("what", 0, IsNumber: false),
            new Column("memory", 1),
            new Column("driver", 2, IsNumber: false));
        foreach (Row row in rows)
        {
            table.Add(row.Name, row.What, string.Create(CultureInfo.InvariantCulture, $"{row.MemoryBytes / (double)(1 << 30):F1} GiB"), row.Driver ?? "");
        }

        table.Write();
        terminal.Out.WriteLine();
        foreach (Row row in rows.Where(row => row.Problem is not null))
        {
            terminal.Say($"{row.Name} cannot be used: {row.Problem}");
        }

        if (missing is not null)
        {
            terminal.Say($"No GPU: {missing}");
        }

        terminal.Say($"--device auto takes {string.Join(", ", automatic)}.");
    }

    private static JsonObject Json(Row[] rows, string? missing, string[] automatic) => new()
    {
        ["devices"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            ["description"] = row.What,
            ["memoryBytes"] = row.MemoryBytes,
            ["driver"] = row.Driver,
            ["usable"] = row.Problem is null,
            ["reason"] = row.Problem,
        })]),
        ["missing"] = missing,
        ["auto"] = new JsonArray([.. automatic.Select(name => JsonValue.Create(name))]),
    };

    /// <summary>As Linux calls it.</summary>
    private static string ProcessorName()
    {
        const string Facts = "/proc/cpuinfo";
        string? line = File.Exists(Facts) ? File.ReadLines(Facts).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }

    /// <summary>What this process may use, of the machine or its container.</summary>
    private static long MemoryBytes() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}
