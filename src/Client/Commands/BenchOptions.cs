using System.CommandLine;
using System.CommandLine.Parsing;
using ConvNet.Client.Benchmarks;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Commands;

/// <summary>What both commands take.</summary>
internal sealed class BenchOptions(int defaultSteps)
{
    private readonly Option<string> _model = new("--model")
    {
        Description = "Preset or model file [fashion-cnn]",
        HelpName = "NAME|FILE.json",
        DefaultValueFactory = _ => "fashion-cnn",
    };

    private readonly Option<long?> _batch = WholeNumber.Option("--batch", "Samples of one step [128]");
    private readonly Option<long?> _threads = WholeNumber.Option("--threads", "Compute threads [1]");
    private readonly Option<long?> _steps = WholeNumber.Option("--steps", $"Measured steps [{defaultSteps}]");
    private readonly Option<bool> _json = RunOptions.JsonOption();

    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_batch);
        command.Add(_threads);
        command.Add(_steps);
        command.Add(_json);
    }

    public bool HasBatch(CommandResult result) => result.GetResult(_batch) is not null;

    /// <exception cref="ConvNetException">A number is out of range, or the model cannot train on such a batch (exit code 3).</exception>
    public BenchChoices Read(ParseResult parsed)
    {
        var choices = new BenchChoices(
            new Model(ModelFile.Load(parsed.GetValue(_model)!), BatchNormMode.Sync),
            WholeNumber.InRange("--batch", parsed.GetValue(_batch) ?? 128, 1, BenchBatch.MaxCount),
            WholeNumber.InRange("--threads", parsed.GetValue(_threads) ?? 1, 1, JobLimits.MostThreads),
            WholeNumber.InRange("--steps", parsed.GetValue(_steps) ?? defaultSteps, 1, 100_000),
            parsed.GetValue(_json));
        choices.Model.CheckBatch(choices.Batch);
        return choices;
    }
}
