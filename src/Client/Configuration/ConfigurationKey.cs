using System.Globalization;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Configuration;
using ConvNet.Silo.Devices;

namespace ConvNet.Client.Configuration;

/// <summary>One setting: its dotted path, and how text becomes its value and back.</summary>
/// <param name="Path">E.g. "train.batch".</param>
/// <param name="Get">The value (string, long, double or bool), or null if it is not set.</param>
/// <param name="Set">Takes the text of a value; throws <see cref="ConvNetException"/> if it has the wrong form.</param>
public sealed record ConfigurationKey(string Path, Func<TrainConfiguration, object?> Get, Action<TrainConfiguration, string> Set)
{
    public static ConfigurationKey Text(string path, Func<TrainConfiguration, string?> get, Action<TrainConfiguration, string> set) =>
        new(path, get, (configuration, text) => set(configuration, text.Length > 0 ? text : throw Wrong(path, "a value", text)));

    public static ConfigurationKey Choice(
        string path, string[] choices, Func<TrainConfiguration, string> get, Action<TrainConfiguration, string> set) =>
        new(path, get, (configuration, text) => set(configuration, choices.Contains(text, StringComparer.Ordinal)
            ? text
            : throw ConvNetException.BadInput(
                $"{path}: '{text}' is not one of {string.Join(", ", choices)}.{NearMatch.Suggest(text, choices)}")));

    public static ConfigurationKey Whole(string path, Func<TrainConfiguration, long?> get, Action<TrainConfiguration, long> set) =>
        new(path, configuration => get(configuration), (configuration, text) => set(configuration, ParseWhole(path, text)));

    /// <summary>A whole number from 0 to the largest one there is, so that one which does not fit must be refused here.</summary>
    public static ConfigurationKey Seed(string path, Func<TrainConfiguration, long?> get, Action<TrainConfiguration, long> set) =>
        new(path, configuration => get(configuration), (configuration, text) => set(configuration, ParseWhole(path, text) switch
        {
            long.MaxValue when !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) =>
                throw ConvNetException.BadInput($"{path} must be from 0 to {long.MaxValue}; got a number that is far outside."),
            long value => value,
        }));

    public static ConfigurationKey Number(string path, Func<TrainConfiguration, double?> get, Action<TrainConfiguration, double> set) =>
        new(path, configuration => get(configuration), (configuration, text) => set(configuration, ParseNumber(path, text)));

    public static ConfigurationKey Switch(string path, Func<TrainConfiguration, bool> get, Action<TrainConfiguration, bool> set) =>
        new(path, configuration => get(configuration), (configuration, text) => set(configuration, text switch
        {
            "true" => true,
            "false" => false,
            _ => throw Wrong(path, "true or false", text),
        }));

    /// <summary>What workers compute on.</summary>
    public static ConfigurationKey Device(string path, Func<TrainConfiguration, string?> get, Action<TrainConfiguration, string> set) =>
        new(path, get, (configuration, text) => set(configuration, DeviceChoice.FaultOf(text) is { } fault
            ? throw new ConvNetException(ExitCode.Usage, $"{path}{fault.TrimEnd('.')}.")
            : text));

    /// <summary>A whole number; one that does not fit is a very large one, which the check of its range refuses.</summary>
    public static long ParseWhole(string name, string text) => WholeText.Parse(text) ?? throw Wrong(name, "a whole number", text);

    /// <summary>A number with a decimal point, in every locale.</summary>
    public static double ParseNumber(string name, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw Wrong(name, text.Contains(',', StringComparison.Ordinal) ? "a number with a decimal point" : "a number", text);

    private static ConvNetException Wrong(string name, string wanted, string text) =>
        new(ExitCode.Usage, $"{name} takes {wanted}; got '{text}'.");
}
