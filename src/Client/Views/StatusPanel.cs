using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>A job as a picture: progress bar, numbers, and a row for each worker.</summary>
internal static class StatusPanel
{
    private const int BarWidth = 40;

    public static IRenderable Render(JobStatus status)
    {
        var rows = new List<IRenderable> { new Text(""), Bar(status), Numbers(status) };
        if (status.Workers.Length > 0)
        {
            rows.Add(Workers(status));
        }

        return new Rows(rows);
    }

    private static Markup Bar(JobStatus status)
    {
        double share = status.TotalSteps > 0 ? (double)status.Step / status.TotalSteps : 0;
        int done = (int)(Math.Clamp(share, 0, 1) * BarWidth);
        return new Markup(string.Create(
            CultureInfo.InvariantCulture,
            $"[green]{new string('━', done)}[/][grey]{new string('━', BarWidth - done)}[/] {share:P0}  step {status.Step}/{status.TotalSteps}  " +
            $"epoch {Lines.Epoch(status)}/{Lines.Epochs(status)}  {State(status.State)}"));
    }

    private static Markup Numbers(JobStatus status) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"loss [bold]{status.TrainLoss:F4}[/]  accuracy [bold]{status.TrainAccuracy:F4}[/]  [bold]{status.ImagesPerSecond:F0}[/] images/s  " +
        $"learning rate {status.LearningRate:G4}  {Lines.TimeLeft(status)} left"));

    private static Table Workers(JobStatus status)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string heading in (string[])["worker", "shards", "step", "images", "compute", "batch norm", "push", "pull"])
        {
            table.AddColumn(new TableColumn(heading) { Alignment = heading == "worker" ? Justify.Left : Justify.Right });
        }

        foreach (WorkerStatus worker in status.Workers)
        {
            double total = worker.ComputeSeconds + worker.BatchNormSeconds + worker.PushSeconds + worker.PullSeconds;
            table.AddRow(
                Markup.Escape(worker.Name),
                worker.EndShard - worker.FirstShard == 1 ? $"{worker.FirstShard}" : $"{worker.FirstShard}-{worker.EndShard - 1}",
                worker.Step.ToString(CultureInfo.InvariantCulture),
                worker.Samples.ToString(CultureInfo.InvariantCulture),
                Share(worker.ComputeSeconds, total),
                Share(worker.BatchNormSeconds, total),
                Share(worker.PushSeconds, total),
                Share(worker.PullSeconds, total));
        }

        return table;
    }

    private static string Share(double seconds, double total) =>
        total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{100 * seconds / total:F0} %") : "";

    private static string State(JobState state) => state switch
    {
        JobState.Evaluating => "evaluating",
        JobState.Checkpointing => "saving",
        JobState.Failed => "[red]failed[/]",
        JobState.Completed => "completed",
        JobState.Stopped => "stopped",
        _ => "",
    };
}
