using System.CommandLine;
using System.CommandLine.Parsing;

namespace ConvNet.Silo.Commands;

/// <summary>What holds for the values of every option and argument: each is given, and none is empty.</summary>
internal static class ValueCheck
{
    public static void AddTo(Command command)
    {
        foreach (Option option in command.Options)
        {
            option.Validators.Add(result => Check(result, option));
        }

        foreach (Argument argument in command.Arguments)
        {
            argument.Validators.Add(result => RefuseEmpty(result, argument.HelpName ?? argument.Name));
        }

        foreach (Command subcommand in command.Subcommands)
        {
            AddTo(subcommand);
        }
    }

    /// <summary>An option that is given twice is one result, in which the parser does not miss the second value.</summary>
    private static void Check(OptionResult result, Option option)
    {
        if (!result.Implicit && option.Arity.MinimumNumberOfValues > 0 && result.Tokens.Count > 0 && result.IdentifierTokenCount > result.Tokens.Count)
        {
            result.AddError($"{option.Name} is given {result.IdentifierTokenCount} times, but only {result.Tokens.Count} time(s) with a value.");
        }

        RefuseEmpty(result, option.Name);
    }

    private static void RefuseEmpty(SymbolResult result, string name)
    {
        if (!result.Errors.Any() && result.Tokens.Any(token => token.Value.Length == 0))
        {
            result.AddError($"{name} takes a value; got ''.");
        }
    }
}
