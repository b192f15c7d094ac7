using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Devices;

namespace ConvNet.Silo.Configuration;

/// <summary>One thing that a silo can be told: by an option, by an environment variable, or in its file.</summary>
/// <param name="Name">"orphan-minutes" is the option --orphan-minutes, the variable CONVNET_SILO_ORPHAN_MINUTES and orphanMinutes in the file.</param>
/// <param name="HelpName">What stands for its value in the help; null for an option that needs none.</param>
/// <param name="Fault">What is wrong with the form of a value, to follow on whence it came, with its full stop; null: nothing.</param>
/// <param name="Refusal">The same for a value that has the form.</param>
/// <param name="IsPath">In a file it is relative to the file's folder.</param>
internal sealed record SiloKey(
    string Name, string? HelpName, string Description, Func<string, string?> Fault, Func<string, string?> Refusal, bool IsPath = false)
{
    public const string VariablePrefix = "CONVNET_SILO_";

    private static readonly string[] AllRoles = ["worker", "server"];

    public string Flag => $"--{Name}";

    public string Variable => VariablePrefix + Name.Replace('-', '_').ToUpperInvariant();

    /// <summary>In a file.</summary>
    public string Key { get; } = string.Concat(Name.Split('-').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    public static SiloKey Text(string name, string helpName, string description) => new(name, helpName, description, Empty, Nothing);

    public static SiloKey Path(string name, string helpName, string description) => new(name, helpName, description, Empty, Nothing, IsPath: true);

    /// <summary>A name for people and grains.</summary>
    public static SiloKey Plain(string name, string description) =>
        new(name, "NAME", description, Empty, text => PlainName.ProblemOf(text, 63) is { } problem ? $": {problem}." : null);

    public static SiloKey Switch(string name, string description) => new(
        name, null, description, text => text is "true" or "false" ? null : $" takes true or false; got '{text}'.", Nothing);

    public static SiloKey Whole(string name, string description, long low, long high) => new(
        name,
        "N",
        description,
        text => WholeText.Parse(text) is null ? $" takes a whole number; got '{text}'." : null,
        text => WholeText.Parse(text) is { } value && (value < low || value > high) ? $" must be from {low} to {high}; got {WholeText.Show(value)}." : null);

    /// <summary>Roles, with commas in between.</summary>
    public static SiloKey Roles(string name, string description) => new(
        name,
        string.Join(',', AllRoles),
        description,
        Empty,
        text => RolesIn(text).FirstOrDefault(role => !AllRoles.Contains(role)) is { } unknown
            ? $": '{unknown}' is no role; the roles are worker and server.{NearMatch.Suggest(unknown, AllRoles)}"
            : null);

    /// <summary>What workers compute on.</summary>
    public static SiloKey Compute(string name, string description) => new(name, DeviceChoice.HelpName, description, DeviceChoice.FaultOf, Nothing);

    public static string[] RolesIn(string text) => text.Split(',', StringSplitOptions.TrimEntries);

    private static string? Empty(string text) => text.Length == 0 ? " takes a value; got ''." : null;

    private static string? Nothing(string text) => null;
}
