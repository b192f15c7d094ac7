using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Client.Configuration;
using ConvNet.Engine.Errors;

namespace ConvNet.Client.Commands;

/// <summary>A flag that is short for one setting: <c>--batch 64</c> is <c>-s train.batch=64</c>.</summary>
internal sealed class KeyOption
{
    private readonly ConfigurationKey _key;

    public KeyOption(string name, string path, string value, string description)
    {
        _key = ConfigurationKeys.Find(path) ?? throw new ArgumentException($"no setting {path}.");
        Option = new Option<string?>(name) { Description = description, HelpName = value };
        Option.Validators.Add(Check);
    }

    public Option<string?> Option { get; }

    /// <summary>The setting, if the flag was given.</summary>
    public Setting? Read(ParseResult parsed) =>
        parsed.GetValue(Option) is { } text ? new Setting(_key, text, Option.Name) : null;

    /// <summary>What is no number does not parse; whether the number makes sense is checked with the whole configuration.</summary>
    private void Check(OptionResult result)
    {
        if (result.Tokens.Count == 0)
        {
            return;
        }

        try
        {
            _key.Set(new TrainConfiguration(), result.Tokens[0].Value);
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.Usage)
        {
            result.AddError(e.Message.Replace(_key.Path, Option.Name, StringComparison.Ordinal));
        }
        catch (ConvNetException)
        {
            // Well-formed but unknown: reported as bad input when the configuration is resolved.
        }
    }
}
