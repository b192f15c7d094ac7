using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ConvNet.Client.Views;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;
using ConvNet.Engine.Training;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>eval: loss and accuracy of a checkpoint on test images, computed in this process.</summary>
internal static class EvalCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("dir") { Description = "Run folder (its newest whole checkpoint) or checkpoint folder", HelpName = "DIR" };
        var data = new Option<string?>("--data") { Description = "Other test images than those of the run", HelpName = "NAME|PATH" };
        Option<long?> threads = WholeNumber.Option("--threads", "Compute threads [cores]");
        var device = new DeviceOption("What to compute on [auto: the first GPU that can be used, else cpu]");
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "eval",
            """
            Evaluates a checkpoint on all test images.

            Example: convnet eval runs/train-0001
            """)
        { directory, data, threads, device.Option, json };
        command.SetAction(parsed => Run(
            terminal,
            parsed.GetValue(directory)!,
            parsed.GetValue(data),
            WholeNumber.InRange("--threads", parsed.GetValue(threads) ?? Environment.ProcessorCount, 1, JobLimits.MostThreads),
            device.OpenOne(parsed, terminal),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string directory, string? dataPath, int threads, ComputeDevice device, bool json)
    {
        string path = CheckpointStore.Resolve(directory, terminal.Warn);
        Checkpoint checkpoint = CheckpointFolder.Load(path);
        JobSpec spec = JobSpec.FromJson(checkpoint.State.JobJson, toEvaluate: true);
        ImageSet test = dataPath is null ? TestOf(spec, terminal) : OtherTest(spec, dataPath, terminal);
        Metrics sum = Evaluate(checkpoint, path, spec, test, threads, device);
        double loss = sum.LossSum / sum.Count;
        double accuracy = (double)sum.Correct / sum.Count;
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "eval.completed",
                ["samples"] = sum.Count,
                ["loss"] = JsonLines.Number(loss),
                ["accuracy"] = JsonLines.Number(accuracy),
                ["weightsSha256"] = checkpoint.WeightsSha256(),
            };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else
        {
            terminal.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{spec.Model.Name}, step {checkpoint.State.Step}, on {dataPath ?? spec.Data.NameOrPath}: {sum.Count} test images, {On(device)}" +
                $"loss {loss:F4}, accuracy {accuracy:F4}"));
        }

        return (int)ExitCode.Ok;
    }

    private static string On(ComputeDevice device) => device == CpuDevice.Instance ? "" : $"on {device.Description}, ";

    private static ImageSet TestOf(JobSpec spec, Terminal terminal)
    {
        Dataset data = DataCatalog.Reopen(spec.Data);
        if (data.Sha256 != spec.Data.Sha256)
        {
            terminal.Warn($"data '{spec.Data.NameOrPath}' has changed since the run began.{spec.Data.OlderReading}");
        }

        return spec.ClassNames is { } classes ? ClassMatch.ByName(data.Test, classes, spec.Data.NameOrPath) : data.Test;
    }

    private static ImageSet OtherTest(JobSpec spec, string path, Terminal terminal)
    {
        ImageSet test = DataCatalog.OpenTest(path, spec.Adapter.Image, spec.Data.TestShare, out bool isNamed);
        if (spec.ClassNames is { } classes && isNamed)
        {
            return ClassMatch.ByName(test, classes, path);
        }

        if (spec.ClassNames is null || !ClassMatch.AreNumbers(spec.ClassNames))
        {
            string why = spec.ClassNames is null
                ? "the run was made by a build that did not keep the names of classes"
                : $"data '{path}' have no names of classes";
            terminal.Warn($"{why}: label 0 counts as the model's first class, and so on.");
        }

        return test;
    }

    private static Metrics Evaluate(Checkpoint checkpoint, string path, JobSpec spec, ImageSet test, int threads, ComputeDevice device)
    {
        using var team = new ThreadTeam(threads);
        using ModelRunner runner = device.CreateRunner(new Model(spec.Model, spec.BatchNormMode), team, spec.Kernels);
        if (test.ClassCount > runner.Model.Classes)
        {
            throw ConvNetException.BadInput(
                $"the data have {test.ClassCount} classes, but the model knows {runner.Model.Classes}. Use data of its classes.");
        }

        runner.PrepareEvaluation(CheckpointWeights.Load(runner.Model, checkpoint, path));
        var filler = new BatchFiller(test, spec.Adapter, augmentation: null);
        int samples = test.Count;
        IEnumerable<int> blocks = Enumerable.Range(0, Evaluation.BlockCount(samples));
        return Evaluation.Sum([.. blocks.Select(block => Evaluation.EvaluateBlock(runner, filler, samples, block))]);
    }
}
