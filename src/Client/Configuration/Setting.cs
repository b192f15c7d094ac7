using ConvNet.Engine.Errors;

namespace ConvNet.Client.Configuration;

/// <summary>A value that somebody gave to a key, and where.</summary>
/// <param name="Origin">For error messages: "--batch", "-s", or "job.yaml:3:8".</param>
/// <param name="IsFromFile">The origin is the place in a configuration file.</param>
public sealed record Setting(ConfigurationKey Key, string Text, string Origin, bool IsFromFile = false)
{
    /// <summary>Parses one <c>-s path.to.key=value</c>.</summary>
    public static Setting Parse(string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new ConvNetException(ExitCode.Usage, $"-s takes path.to.key=value; got '{assignment}'.");
        }

        string path = assignment[..equals];
        ConfigurationKey key = ConfigurationKeys.Find(path)
            ?? throw new ConvNetException(ExitCode.Usage, $"-s: there is no setting '{path}'.{ConfigurationKeys.Hint(path)}");
        return new Setting(key, assignment[(equals + 1)..], "-s");
    }

    /// <summary>Applies one layer of settings over what is there; a layer must not say both how many epochs and how many steps.</summary>
    /// <param name="conflict">Exit code if it does.</param>
    public static void Apply(TrainConfiguration configuration, IReadOnlyList<Setting> layer, ExitCode conflict)
    {
        Setting? epochs = layer.FirstOrDefault(setting => setting.Key.Path == "train.epochs");
        Setting? steps = layer.FirstOrDefault(setting => setting.Key.Path == "train.steps");
        if (epochs is not null && steps is not null)
        {
            throw new ConvNetException(
                conflict,
                $"epochs ({epochs.Origin}) and steps ({steps.Origin}) exclude each other: both say how long to train. Give one of them.");
        }

        InTheirWords(layer, () =>
        {
            foreach (Setting setting in layer)
            {
                setting.Key.Set(configuration, setting.Text);
            }
        });
    }

    /// <summary>
    /// Runs <see cref="ConfigurationCheck"/>; a value that came from a flag is called by the flag's name, one from a file has its place.
    /// </summary>
    /// <param name="given">Of several settings of one key, the last counts.</param>
    public static void Check(TrainConfiguration configuration, IReadOnlyList<Setting> given) => InTheirWords(given, () =>
    {
        IReadOnlyList<string> problems = ConfigurationCheck.Problems(configuration);
        if (problems.Count > 0)
        {
            throw ConvNetException.BadInput(string.Join(Environment.NewLine + "error: ", problems.Select(problem => Place(problem, given) + problem)));
        }
    });

    private static string Place(string problem, IEnumerable<Setting> given)
    {
        Setting? last = given.LastOrDefault(setting => problem.StartsWith(setting.Key.Path + " ", StringComparison.Ordinal));
        return last is { IsFromFile: true } ? $"{last.Origin}: " : "";
    }

    private static void InTheirWords(IEnumerable<Setting> given, Action action)
    {
        try
        {
            action();
        }
        catch (ConvNetException e)
        {
            IEnumerable<Setting> flags = given.Where(setting => setting.Origin.StartsWith("--", StringComparison.Ordinal));
            string message = flags.Aggregate(e.Message, (text, flag) => text.Replace(flag.Key.Path, flag.Origin, StringComparison.Ordinal));
            throw new ConvNetException(e.ExitCode, message, e);
        }
    }
}
