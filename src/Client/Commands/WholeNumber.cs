using System.CommandLine;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;

namespace ConvNet.Client.Commands;

/// <summary>Options that take a whole number.</summary>
internal static class WholeNumber
{
    public static Option<long?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            try
            {
                return ConfigurationKey.ParseWhole(name, result.Tokens[0].Value);
            }
            catch (ConvNetException e)
            {
                result.AddError(e.Message);
                return null;
            }
        },
    };

    /// <summary>The value, or an error with exit code 3 if it is out of range.</summary>
    public static int InRange(string name, long value, int low, int high) => value >= low && value <= high
        ? (int)value
        : throw ConvNetException.BadInput($"{name} must be from {low} to {high}; got {value}.");
}
