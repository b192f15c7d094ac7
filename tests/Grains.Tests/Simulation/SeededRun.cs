using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>One job on one cluster with what goes wrong there: all of it follows from a number.</summary>
internal sealed class SeededRun
{
    private readonly int _index;
    private readonly SplitMix _random;
    private readonly SimulatedCluster _cluster;
    private readonly string _story;

    private SeededRun(ulong seed, Action<string>? log)
    {
        _index = (int)(seed % (ulong)FakeJobs.All.Length);
        _random = new SplitMix(seed * 7919);
        FakeJob job = FakeJobs.All[_index];
        var model = new FakeModel(job);
        Layout = WithFreezes(
            WithHeadFaults(WithDrains(LayoutOf(_random, job), new SplitMix(seed * 7907)), new SplitMix(seed * 7901)), new SplitMix(seed * 7883));
        Layout = seed % 5 < 3 ? Layout : WithSilos(Layout, new SplitMix(seed * 7879));
        Layout = Layout with { DiskFaults = seed % 3 == 0 ? 300 : 0 };
        Plan = PlanOf(_random);
        Reference = FakeJobs.ReferenceOf(_index);
        _cluster = new SimulatedCluster(model, Layout, FakeState.Initial(model, job.Optimizer), Plan, seed, Reference);
        _cluster.Network.Log = log;
        _story = $"seed {seed}, {Layout}, {Plan}";
    }

    /// <summary>What went wrong that must not; null: nothing.</summary>
    public string? Problem { get; private set; }

    public BranchCounts Counts => _cluster.Counts;

    private Layout Layout { get; }

    private TrainingPlan Plan { get; }

    private FakeReference Reference { get; }

    /// <param name="log">Takes what happens, line by line.</param>
    public static SeededRun Of(ulong seed, Action<string>? log = null)
    {
        var run = new SeededRun(seed, log);
        try
        {
            string? problem = run.Run();
            run.Problem = problem is null ? null : $"{problem}, with {run._story}: {run._cluster.Machine.State} {run._cluster.Machine.Reason}";
        }
        catch (Exception e)
        {
            run.Problem = $"{e}, with {run._story}";
        }

        return run;
    }

    /// <returns>What went wrong, or null.</returns>
    private string? Run()
    {
        FakeState end = _cluster.Run();
        if (_cluster.Complaints.Count > 0)
        {
            return string.Join("; ", _cluster.Complaints);
        }

        if (_cluster.EventsOf<RunEvent.Yielded>().FirstOrDefault(yielded => yielded.Reason.StartsWith("no sign of work", StringComparison.Ordinal)) is { } idle)
        {
            return idle.Reason;
        }

        JobState state = _cluster.Machine.State;
        string? failure = state == JobState.Failed ? FailureOf(_cluster.Machine.Reason ?? "") : null;
        if (state == JobState.Failed && failure is null)
        {
            return "the job has failed for no good reason";
        }

        // A job that has failed at once goes on from its last checkpoint, and computes again what came after it.
        long step = end.Position.Step;
        bool wasAlone = failure is "nobody was there, and it has saved";
        bool isSaved = state != JobState.Failed || wasAlone || failure is "its silo was stopped";

        // Nor does one that saves without workers wait for all to take a decision which is computed again.
        bool isWhole = isSaved && !wasAlone && Layout.LostWrites == 0;
        List<StepOutcome> outcomes = [.. _cluster.Outcomes.TakeWhile(outcome => isWhole || outcome.Decision.Step < step)];
        if ((isSaved && step != _cluster.Machine.Step) || !outcomes.Select(outcome => outcome.Decision.Step).SequenceEqual(Steps(step)))
        {
            return $"the job goes on at step {step}, with {outcomes.Count} steps decided";
        }

        if (end.Hash() != Reference.States[step].Hash())
        {
            return "the job has ended with other bits";
        }

        if (state != JobState.Completed && step < FakeJobs.All[_index].Shape.TotalSteps)
        {
            var other = new Layout(1 + _random.Below(FakeJobs.All[_index].Shape.Shards), 1 + _random.Below(5), NetworkFaults.None);
            var next = new SimulatedCluster(_cluster.Model, other, end, new TrainingPlan { EvaluateEvery = 2 }, 1, Reference);
            end = next.Run();
            if (next.Complaints.Count > 0 || next.Machine.State != JobState.Completed)
            {
                return $"the next job has ended as {next.Machine.State}: {string.Join("; ", next.Complaints)}";
            }

            outcomes.AddRange(next.Outcomes);
            Counts.Add("the job goes on as another one");
        }

        Count(state, failure);
        return FakeJobs.Hash(end, outcomes) == Reference.End ? null : "another job that goes on ends with other bits";
    }

    private static IEnumerable<long> Steps(long end) => Enumerable.Range(0, (int)end).Select(step => (long)step);

    /// <summary>Why a job may fail; null: it must not for that reason.</summary>
    private string? FailureOf(string reason) =>
        Layout.IsBarren && reason.StartsWith("the job was without workers for ", StringComparison.Ordinal)
            ? reason.Contains(" is lost; ", StringComparison.Ordinal) ? "nobody was there, and what was new is lost" : "nobody was there, and it has saved"
        : Layout.EndsSaved && reason.EndsWith("; resume the run.", StringComparison.Ordinal) ? "its silo was stopped"
        : Layout.End == JobOrderKind.Abandon && reason == "its client ended it as failed." ? "its client has given up"

        : Layout.DiskFaults > 0 && reason.EndsWith(" There is no older one.", StringComparison.Ordinal) ? "a disk has not taken the first checkpoint"
        : Layout.DiskFaults > 0 && reason.Contains(" It was tried for ", StringComparison.Ordinal) ? "a disk has not taken the last checkpoint"
        : Layout.LostWrites > 0 && reason.EndsWith(" a newer generation is promised (Stale).", StringComparison.Ordinal) ? "its record is older than it is"
        : Layout.OtherBits > 0 && reason.Contains(" again with other values than before", StringComparison.Ordinal) ? "nobody knows who is wrong"

        // Wrong bytes that were taken and are not unmasked before the generation changes.
        : Layout.Conflicts + Layout.OtherBits > 0 && reason.Contains("do not get the same bits", StringComparison.Ordinal) ? "nobody can tell who is wrong"
        : null;

    private void Count(JobState state, string? failure)
    {
        Counts.Add(failure is null ? $"the job ends as {state}" : $"the job fails: {failure}");
        foreach (RunEvent happened in _cluster.EventsOf<RunEvent>())
        {
            Counts.Add($"event: {happened.GetType().Name}");
            if (happened is RunEvent.Warning warning)
            {
                Counts.Add($"warning: {Branches.KindOf(warning)}");
            }
        }

        RunEvent.MembersChanged[] changes = _cluster.EventsOf<RunEvent.MembersChanged>();
        Counts.Add("a step is repeated", changes.Sum(change => change.StepsRepeated));
        Counts.Add("a worker leaves", changes.Count(change => change.Reason.Contains("has left", StringComparison.Ordinal)));
        Counts.Add("shards move", changes.Count(change => change.Reason.Contains("times as long", StringComparison.Ordinal)));
        Counts.Add("a job without workers goes back to the queue", _cluster.EventsOf<RunEvent.Yielded>().Count(
            yielded => yielded.Reason.StartsWith("the job was without workers", StringComparison.Ordinal)));
        Counts.Add("a write is refused", _cluster.Store.Refused);
        Counts.Add("a worker is expelled", _cluster.Machine.Expelled.Count);
        foreach ((string change, int times) in _cluster.Grain.Changes)
        {
            Counts.Add(change, times);
        }
    }

    private static Layout LayoutOf(SplitMix random, FakeJob job)
    {
        var faults = new NetworkFaults(random.Below(200), random.Below(300), 1 + random.Below(40));
        return new Layout(
            1 + random.Below(job.Shape.Shards),
            1 + random.Below(5),
            faults,
            Deaths: random.Below(4),
            Joins: random.Below(3),
            Conflicts: random.Below(2),
            Suspicions: random.Chance(300) ? 1 : 0,
            Orders: random.Below(3),
            End: random.Below(12) switch
            {
                < 2 => JobOrderKind.Stop,
                < 4 => JobOrderKind.Cancel,
                4 => JobOrderKind.Abandon,
                _ => null,
            },
            LosesClient: random.Chance(150),
            Pauses: random.Below(3));
    }

    private static Layout WithDrains(Layout layout, SplitMix random) => layout with
    {
        Withdrawals = random.Below(3),
        Vacates = random.Below(2),
        EndsSaved = random.Chance(100),
        NonFinites = random.Below(2),
        OtherBits = random.Chance(300) ? 1 : 0,
    };

    private static Layout WithHeadFaults(Layout layout, SplitMix random) => layout with
    {
        ServerLosses = random.Chance(300) ? 1 : 0,
        HeadCrashes = random.Below(3),
        HeadCutOffs = random.Chance(400) ? 1 : 0,
        StoreOutages = random.Chance(300) ? 1 : 0,
        Slowdowns = random.Below(4),
    };

    private static Layout WithFreezes(Layout layout, SplitMix random) => layout with
    {
        Freezes = random.Chance(500) ? 1 + random.Below(3) : 0,
        Cuts = random.Chance(300) ? 1 : 0,
        LostWrites = random.Chance(100) ? 1 : 0,
        IsBarren = random.Chance(200),
        IsDetached = random.Chance(500),
    };

    /// <summary>Sums of a decided step are not compared when the only one that knows them is lost.</summary>
    private static Layout WithSilos(Layout layout, SplitMix random) => layout with
    {
        Silos = 2 + random.Below(2),
        SiloDeaths = random.Below(3),
        SiloSuspicions = random.Chance(200) ? 1 : 0,
        OtherBits = 0,
    };

    private static TrainingPlan PlanOf(SplitMix random) => new()
    {
        EvaluateEvery = random.Below(4),
        SaveEvery = random.Below(4),
        SaveMinutes = random.Chance(200) ? 0.01 : 0,
    };
}
