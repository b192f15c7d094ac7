using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Cluster;
using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Engine.Training;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Devices;

namespace ConvNet.Client.Commands;

/// <summary>verify: runs the first steps of a job in several layouts and compares the states bit by bit.</summary>
internal static class VerifyCommand
{
    private const int DefaultSteps = 10;

    /// <summary>One way to spread a job over a local cluster.</summary>
    private sealed record Layout(int Workers, int Silos, int Threads, IReadOnlyList<ComputeDevice> Devices)
    {
        private static readonly ComputeDevice[] Processor = [CpuDevice.Instance];

        public static Layout OfProcessor(int workers, int silos, int threads) => new(workers, silos, threads, Processor);

        public override string ToString()
        {
            string where = Devices.SequenceEqual(Processor) ? "" : $" on {string.Join(", ", Devices.Select(device => device.Description))}";
            return $"{Workers} worker(s), {Silos} silo(s), {Threads} thread(s){where}";
        }
    }

    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string?>("dir")
        {
            Description = "Run folder or checkpoint whose job to verify",
            HelpName = "DIR",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var job = new JobOptions();
        Option<long?> steps = WholeNumber.Option("--verify-steps", "Steps to run in each layout [10]");
        var device = new DeviceOption("What the workers of all layouts but the first compute on; that one is on cpu [auto]");
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "verify",
            """
            Runs the first steps of a job with 1 worker on cpu, with 3 workers on 2 silos, and with 1 worker on each GPU that is used, and compares
            all bits of the states.

            Example: convnet verify --model lenet --batch 100
            """)
        { directory };
        job.AddTo(command);
        command.Add(steps);
        command.Add(device.Option);
        command.Add(json);
        command.SetAction((parsed, _) =>
        {
            JobSpec spec = parsed.GetValue(directory) is { } path ? FromCheckpoint(path, job, parsed, terminal) : FromOptions(job.Resolve(parsed), terminal);
            long count = Math.Min(spec.TotalSteps, WholeNumber.InRange("--verify-steps", parsed.GetValue(steps) ?? DefaultSteps, 1, int.MaxValue));
            return RunAsync(terminal, spec, count, device.Read(parsed), parsed.GetValue(json));
        });
        return command;
    }

    private static JobSpec FromOptions(TrainConfiguration configuration, Terminal terminal) => JobFactory.Create(
        configuration, ModelFile.Load(configuration.Model), TrainCommand.OpenData(configuration.Data, terminal));

    private static JobSpec FromCheckpoint(string path, JobOptions job, ParseResult parsed, Terminal terminal)
    {
        if (job.AreGiven(parsed))
        {
            throw new ConvNetException(ExitCode.Usage, "verify takes a folder or the options of a job, not both: a run's job is what it is.");
        }

        string checkpoint = CheckpointStore.Resolve(path, terminal.Warn);
        return JobSpec.FromJson(CheckpointFolder.Load(checkpoint).State.JobJson);
    }

    private static async Task<int> RunAsync(Terminal terminal, JobSpec spec, long steps, DeviceChoice device, bool json)
    {
        Layout[] layouts = [.. LayoutsOf(spec, device.Open(terminal.Warn))];
        var hashes = new List<string>();
        foreach (Layout layout in layouts)
        {
            hashes.Add(await HashAsync(spec, steps, layout));
            if (!json)
            {
                terminal.Out.WriteLine($"{layout}: state {hashes[^1]} after {steps} steps");
            }
        }

        bool equal = hashes.Distinct().Count() == 1;
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "verify.completed",
                ["equal"] = equal,
                ["steps"] = steps,
                ["stateSha256"] = new JsonArray([.. hashes.Select(hash => JsonValue.Create(hash))]),
            };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else if (equal)
        {
            terminal.Out.WriteLine("All layouts gave the same bits.");
        }

        int other = hashes.FindIndex(hash => hash != hashes[0]);
        return equal ? (int)ExitCode.Ok : throw new ConvNetException(
            ExitCode.TrainingFailed,
            $"the states differ after {steps} steps: {layouts[0]} gave {hashes[0]}, {layouts[other]} gave {hashes[other]}. " +
            "This machine or this build computes wrongly; please report it.");
    }

    /// <summary>A device that has the whole batch goes another way than one that has a part of it.</summary>
    private static IEnumerable<Layout> LayoutsOf(JobSpec spec, IReadOnlyList<ComputeDevice> devices)
    {
        yield return Layout.OfProcessor(1, 1, 1);
        yield return new Layout(Math.Min(3, spec.DataShards), 2, 2, devices);
        foreach (ComputeDevice device in devices.Where(device => device != CpuDevice.Instance))
        {
            yield return new Layout(1, 1, 1, [device]);
        }
    }

    private static async Task<string> HashAsync(JobSpec spec, long steps, Layout layout)
    {
        string folder = Directory.CreateTempSubdirectory("convnet-verify-").FullName;
        try
        {
            await using LocalCluster cluster = await LocalCluster.StartAsync(
                layout.Silos, layout.Workers, layout.Threads, layout.Devices, Serilog.Core.Logger.None);
            IJobGrain job = cluster.Job("verify");
            var plan = new TrainingPlan { StopAfter = steps };
            await job.SubmitAsync(new JobSubmission(
                "verify", spec.ToJson(), new JobLayout(layout.Workers, layout.Threads, JobLimits.UsualPartitions), plan, folder));
            using var run = new RunStream([]);
            RunEvent end = await new RunFollower(job, "verify", run, firstStep: null, TimeProvider.System) { LastStep = steps }.FollowAsync();
            return end switch
            {
                RunEvent.Ended ended => ended.Summary.StateSha256,
                RunEvent.Failed failed => throw new ConvNetException(failed.ExitCode, failed.Error),
                _ => throw new ConvNetException(ExitCode.Bug, $"the job ended with {end.GetType().Name}."),
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
