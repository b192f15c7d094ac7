using System.Globalization;
using ConvNet.Engine.Files;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>
/// metrics.csv: one row for each training step and one for each evaluation. A row's step is the number of completed steps.
/// </summary>
public sealed class MetricsFile : RunSink
{
    /// <summary>In a run folder.</summary>
    public const string Name = "metrics.csv";

    private const string Header = "step,epoch,split,loss,accuracy,learningRate,gradientNorm,seconds";
    private readonly LineFile _file;
    private long _lastTested;

    /// <param name="completedSteps">Rows past this step, from a run that got further than its last checkpoint, are cut.</param>
    public MetricsFile(string path, long completedSteps)
    {
        string[] kept = RowsUntil(path, completedSteps);
        string rewritten = path + ".new";
        PrivateFile.WriteText(rewritten, string.Concat(kept.Prepend(Header).Select(row => row + Environment.NewLine)));
        File.Move(rewritten, path, overwrite: true);
        _file = new LineFile(path);
        LastStep = LastOf(kept);
        _lastTested = LastOf(kept.Where(IsTest));
    }

    /// <summary>Completed steps of the last row.</summary>
    public long LastStep { get; private set; }

    /// <summary>The evaluations in a file up to a step; how many samples they had is not known. None if there is no such file.</summary>
    public static EvaluationResult[] EvaluationsUntil(string path, long completedSteps) =>
    [
        .. RowsUntil(path, completedSteps).Where(IsTest).Select(EvaluationOf).OfType<EvaluationResult>(),
    ];

    public override void Handle(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.StepsCommitted steps:
                Add(steps);
                break;
            case RunEvent.EpochCompleted epoch:
                Add(epoch);
                break;
        }

        _file.Flush();
    }

    public override bool IsWritten => _file.IsWritten;

    public override string? TakeWarning() => _file.TakeWarning();

    protected override void Dispose(bool disposing) => _file.Dispose();

    private static string[] RowsUntil(string path, long completedSteps) =>
        File.Exists(path) ? [.. WholeRows(File.ReadAllText(path)).Skip(1).Where(row => StepOf(row) <= completedSteps)] : [];

    /// <summary>A crash may have cut the last row.</summary>
    private static IEnumerable<string> WholeRows(string text) => text.Split('\n')[..^1].Select(row => row.TrimEnd('\r'));

    private static bool IsTest(string row) => row.Contains(",test,", StringComparison.Ordinal);

    private static long LastOf(IEnumerable<string> rows) => rows.Select(StepOf).DefaultIfEmpty(0).Max();

    private static long StepOf(string row) =>
        long.TryParse(row.Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : long.MaxValue;

    /// <summary>Null for a row that somebody has edited beyond recognition.</summary>
    private static EvaluationResult? EvaluationOf(string row)
    {
        string[] fields = row.Split(',');
        return fields.Length > 4
            && double.TryParse(fields[3], NumberStyles.Float, CultureInfo.InvariantCulture, out double loss)
            && double.TryParse(fields[4], NumberStyles.Float, CultureInfo.InvariantCulture, out double accuracy)
            ? new EvaluationResult(StepOf(row), 0, loss, accuracy)
            : null;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>No step is in the file twice. A job counts its steps from 0.</summary>
    private void Add(RunEvent.StepsCommitted steps)
    {
        foreach (StepRow row in steps.Rows.Where(row => row.Step >= LastStep))
        {
            LastStep = row.Step + 1;
            long epoch = row.Step / steps.StepsPerEpoch + 1;
            Write(LastStep, epoch, "train", row.Loss, row.Accuracy, Text(row.LearningRate), Text(row.GradientNorm), Text(row.Seconds));
        }
    }

    private void Add(RunEvent.EpochCompleted epoch)
    {
        EvaluationResult result = epoch.Evaluation;
        if (result.Step <= _lastTested)
        {
            return;
        }

        _lastTested = result.Step;
        Write(result.Step, epoch.Epoch, "test", result.Loss, result.Accuracy, "", "", "");
    }

    private void Write(long step, long epoch, string split, double loss, double accuracy, string learningRate, string norm, string seconds) =>
        _file.Add(string.Join(
            ',',
            step.ToString(CultureInfo.InvariantCulture),
            epoch.ToString(CultureInfo.InvariantCulture),
            split,
            Text(loss),
            Text(accuracy),
            learningRate,
            norm,
            seconds));
}
