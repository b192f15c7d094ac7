using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>
/// metrics.csv: one row for each training step and one for each evaluation. A row's step is the number of completed steps.
/// </summary>
public sealed class MetricsFile : IDisposable
{
    private const string Header = "step,epoch,split,loss,accuracy,learningRate,gradientNorm,seconds";
    private readonly StreamWriter _writer;

    /// <param name="completedSteps">Rows past this step, from a run that got further than its last checkpoint, are cut.</param>
    public MetricsFile(string path, long completedSteps)
    {
        string[] kept = File.Exists(path) ? [.. File.ReadLines(path).Skip(1).Where(row => StepOf(row) <= completedSteps)] : [];
        string rewritten = path + ".new";
        File.WriteAllLines(rewritten, kept.Prepend(Header));
        File.Move(rewritten, path, overwrite: true);
        _writer = new StreamWriter(path, append: true);
        LastStep = kept.Select(StepOf).DefaultIfEmpty(0).Max();
        LastEvaluatedStep = kept.Where(row => row.Contains(",test,", StringComparison.Ordinal)).Select(StepOf).DefaultIfEmpty(-1).Max();
    }

    /// <summary>Completed steps of the last row.</summary>
    public long LastStep { get; private set; }

    /// <summary>Completed steps at the last evaluation, or −1.</summary>
    public long LastEvaluatedStep { get; private set; }

    /// <summary>Adds the steps that are not yet in the file. Their numbers count from 0.</summary>
    public void AddSteps(IEnumerable<StepRow> rows, int stepsPerEpoch)
    {
        foreach (StepRow row in rows.Where(row => row.Step >= LastStep).OrderBy(row => row.Step))
        {
            LastStep = row.Step + 1;
            Write(LastStep, stepsPerEpoch, "train", row.Loss, row.Accuracy, Text(row.LearningRate), Text(row.GradientNorm), Text(row.Seconds));
        }

        _writer.Flush();
    }

    public void AddEvaluation(EvaluationResult result, int stepsPerEpoch)
    {
        LastEvaluatedStep = result.Step;
        Write(result.Step, stepsPerEpoch, "test", result.Loss, result.Accuracy, "", "", "");
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();

    private static long StepOf(string row) =>
        long.TryParse(row.Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : long.MaxValue;

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private void Write(long step, int stepsPerEpoch, string split, double loss, double accuracy, string learningRate, string norm, string seconds)
    {
        long epoch = (Math.Max(step, 1) + stepsPerEpoch - 1) / stepsPerEpoch;
        _writer.WriteLine(string.Join(
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
}
