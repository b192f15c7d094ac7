using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>Does at once and without faults what a job machine commands, and notes it. What a test wants to answer itself it holds.</summary>
internal sealed class MachineHost
{
    public const int TestSamples = 1100;

    private readonly JobShape _shape;
    private readonly Queue<JobCommand> _todo = [];

    public MachineHost(TrainingPlan? plan = null, long startStep = 0, params string[] workers)
    {
        // 25 steps, 10 an epoch.
        _shape = new JobShape(100, 10, 6, 25);
        Machine = new JobMachine("job", _shape, TestSamples, "/runs/one", plan ?? new TrainingPlan { EvaluateEvery = 10 });
        string[] names = workers.Length > 0 ? workers : ["a/0", "b/0", "c/0"];
        ShardRange[] ranges = ShardAssignment.Assign(6, [.. names.Select(_ => 1.0)]);
        First = new Assignment(
            "job",
            "",
            1,
            startStep,
            [.. names.Zip(ranges, (name, range) => new AssignedWorker(name, 1, range, 1))],
            new ServerKeys(["s/job/0", "s/job/1"], "s/job", "s/job", "s/job"));
    }

    public JobMachine Machine { get; }

    public Assignment First { get; }

    public double Now { get; set; }

    /// <summary>Commands that are noted and not done.</summary>
    public Func<JobCommand, bool> Holds { get; set; } = _ => false;

    public List<JobCommand> Held { get; } = [];

    public List<string> Done { get; } = [];

    public IEnumerable<RunEvent> Events => Machine.Events.Since(0).Select(happened => happened.Event);

    public RunEvent.MembersChanged[] Changes => [.. Events.OfType<RunEvent.MembersChanged>()];

    public void Begin() => Begin(asked: First.Workers.Length);

    public void Begin(int asked)
    {
        Machine.Begin(new JobPosition(First.FirstStep, First.FirstStep, 0, default), First, asked, Now);
        Drain();
    }

    /// <summary>Gives the job the place that it waits for, in its next generation.</summary>
    public Assignment BeginAgain(params string[] workers)
    {
        ShardRange[] ranges = ShardAssignment.Assign(6, [.. workers.Select(_ => 1.0)]);
        Assignment next = First with
        {
            Generation = Machine.Generation + 1,
            FirstStep = Machine.Step,
            Workers = [.. workers.Zip(ranges, (name, range) => new AssignedWorker(name, 1, range, 1))],
        };
        Machine.Begin(Machine.Reached.Position, next, workers.Length, Now);
        Drain();
        return next;
    }

    /// <summary>Does what is to be done until nothing is left that is not held.</summary>
    public void Drain()
    {
        while (true)
        {
            foreach (JobCommand command in Machine.TakeCommands())
            {
                _todo.Enqueue(command);
            }

            if (!_todo.TryDequeue(out JobCommand? next))
            {
                return;
            }

            if (Holds(next))
            {
                Held.Add(next);
            }
            else
            {
                Do(next);
            }
        }
    }

    public void Do(JobCommand command)
    {
        // It goes on beside what is done else.
        if (command is not JobCommand.Write)
        {
            Done.Add(Tell(command));
        }

        switch (command)
        {
            case JobCommand.Freeze freeze:
                FrozenAt at = new(Verdict.Accepted, Machine.Step);
                Machine.Frozen(freeze.Header.Generation, at, [at, at, at]);
                break;
            case JobCommand.Start start:
                Machine.Started(start.Assignment.Generation, null, Now);
                break;
            case JobCommand.Run run:
                Commit(run.Assignment, run.UntilStep);
                break;
            case JobCommand.Evaluate evaluate:
                for (int worker = 0; worker < evaluate.Assignment.Workers.Length; worker++)
                {
                    (int first, int end) = evaluate.Evaluation.BlocksOf(worker);
                    MessageHeader header = evaluate.Assignment.HeaderOf(evaluate.Evaluation.Version, worker);
                    Machine.EvaluationDone(header, first, [.. Enumerable.Range(first, end - first).Select(BlockOf)], Now);
                }

                break;
            case JobCommand.Save:
                Machine.Pinned(Now);
                break;
            case JobCommand.Write write:
                Machine.Saved(CheckpointOf(write.Step), Now);
                break;
            case JobCommand.Release:
                Machine.Released();
                break;
        }
    }

    /// <summary>The coordinator tells that so many steps are committed.</summary>
    public Answer Commit(Assignment assignment, long step)
    {
        long before = Machine.Step;
        Now += 0.01 * (step - before);
        return Machine.Progress(
            assignment.HeaderOf(step),
            new StepProgress
            {
                Position = new JobPosition(step, step, 0, new EpochTotals(0, new Metrics(step, 0, step))),
                Recent = [.. Enumerable.Range((int)before, (int)Math.Max(0, step - before)).Select(s => new StepRow(s, 1, 0.5, 0.1, 2, 0.01))],
                GapSeconds = assignment.Generation > 1 ? 1.5 : null,
            },
            Now);
    }

    public static CheckpointResult CheckpointOf(long step) => new($"/runs/one/{step}", step, "aa", "bb");

    private static Metrics BlockOf(int block) => new(1, 100, Math.Min(Evaluation.BlockSamples, TestSamples - block * Evaluation.BlockSamples));

    private static string Tell(JobCommand command) => command switch
    {
        JobCommand.Freeze freeze => $"freeze {freeze.Header.Generation}",
        JobCommand.Start start => $"start {start.Assignment.Generation} at {start.Assignment.FirstStep} with " +
            string.Join(" ", start.Assignment.Workers.Select(worker => worker.Name)),
        JobCommand.Run run => $"run {run.FirstStep} to {run.UntilStep}",
        JobCommand.Evaluate evaluate => $"evaluate {evaluate.Evaluation.Version}",
        JobCommand.Save save => $"save {save.Position.Step}{(save.Result is null ? "" : " as final")}",
        JobCommand.Dismiss dismiss => $"dismiss {dismiss.Worker}",
        _ => "release",
    };
}
