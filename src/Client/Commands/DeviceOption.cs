using System.CommandLine;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Training;
using ConvNet.Silo.Devices;

namespace ConvNet.Client.Commands;

/// <summary>--device of a command that computes in this process.</summary>
internal sealed class DeviceOption
{
    /// <param name="description">What computes on it, and the default.</param>
    public DeviceOption(string description)
    {
        Option = new Option<string?>("--device") { Description = description, HelpName = DeviceChoice.HelpName };
        Option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && DeviceChoice.FaultOf(result.Tokens[0].Value) is { } fault)
            {
                result.AddError(Option.Name + fault);
            }
        });
    }

    public Option<string?> Option { get; }

    public DeviceChoice Read(ParseResult parsed) => parsed.GetValue(Option) is { } text ? DeviceChoice.Parse(text) : DeviceChoice.Automatic;

    /// <summary>Opens the first device of the choice: a command that computes alone has use for one.</summary>
    /// <exception cref="ConvNetException">The choice names several devices (exit code 2), or one that is not there (7).</exception>
    public ComputeDevice OpenOne(ParseResult parsed, Terminal terminal)
    {
        DeviceChoice choice = Read(parsed);
        return choice.IsList
            ? throw new ConvNetException(
                ExitCode.Usage, $"{Option.Name} takes one device here; got '{choice}'. Lists are for the workers of 'train' and 'silo'.")
            : choice.Open(terminal.Warn)[0];
    }
}
