using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Grains.Tests.Runs;

public sealed class MetricsFileTests
{
    [Fact]
    public void Rows_past_the_checkpoint_are_cut_and_no_step_is_added_twice()
    {
        using var folder = new TemporaryFolder();
        string path = folder["metrics.csv"];
        using (var metrics = new MetricsFile(path, 0))
        {
            metrics.Handle(Steps(1, 2, 3));
            metrics.Handle(new RunEvent.EpochCompleted(1, 2, 1, new EvaluationResult(2, 10, 0.5, 0.75), 99));
            metrics.Handle(Steps(2, 3, 4));
            metrics.Handle(new RunEvent.Warning("not a number"));
        }

        Assert.Equal(6, File.ReadLines(path).Count());
        Assert.Equal([new EvaluationResult(2, 0, 0.5, 0.75)], MetricsFile.EvaluationsUntil(path, 2));
        Assert.Empty(MetricsFile.EvaluationsUntil(path, 1));
        Assert.Empty(MetricsFile.EvaluationsUntil(folder["none.csv"], 2));
        using (var resumed = new MetricsFile(path, 2))
        {
            Assert.Equal(2, resumed.LastStep);
            resumed.Handle(Steps(1, 2, 3));
        }

        string[] rows = File.ReadAllLines(path);
        Assert.Equal("step,epoch,split,loss,accuracy,learningRate,gradientNorm,seconds", rows[0]);
        Assert.Equal(["1,1,train", "2,1,train", "2,1,test", "3,2,train"], rows[1..].Select(row => string.Join(',', row.Split(',')[..3])));
        Assert.Equal("2,1,train,0.75,0.25,0.01,2,0.125", rows[2]);
        Assert.Equal("2,1,test,0.5,0.75,,,", rows[3]);
    }

    [Fact]
    public void A_row_that_a_crash_has_cut_is_no_row_and_an_evaluation_that_is_told_again_is_written_once()
    {
        using var folder = new TemporaryFolder();
        string path = folder["metrics.csv"];
        var evaluated = new RunEvent.EpochCompleted(1, 2, 1, new EvaluationResult(2, 10, 0.5, 0.75), 99);
        using (var metrics = new MetricsFile(path, 0))
        {
            metrics.Handle(Steps(1, 2));
            metrics.Handle(evaluated);
            metrics.Handle(evaluated);
        }

        File.AppendAllText(path, "3,2,train,0.5");
        using (var taken = new MetricsFile(path, 10))
        {
            Assert.Equal(2, taken.LastStep);
            taken.Handle(evaluated);
            taken.Handle(Steps(3));
        }

        Assert.Equal(
            ["1,1,train", "2,1,train", "2,1,test", "3,2,train"],
            File.ReadLines(path).Skip(1).Select(row => string.Join(',', row.Split(',')[..3])));
    }

    /// <summary>The steps that make these numbers of steps complete, in epochs of two.</summary>
    private static RunEvent.StepsCommitted Steps(params long[] completed) =>
        new([.. completed.Select(count => new StepRow(count - 1, 1.5 / count, 0.25, 0.01, 2, 0.125))], 2);
}
