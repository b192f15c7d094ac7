using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// One grain of a job's servers, on one silo: the one that serves, or its standby. Hosts the machine of its kind, and forwards what that wants
/// forwarded, one message at a time.
/// </summary>
/// <param name="number">Of the server: the partitions, the batch norms, the coordinator.</param>
internal sealed class SimulatedServer(SimulatedCluster cluster, int number, string key)
{
    /// <summary>Of the error of a server that is to go on with what it does not have.</summary>
    public const string NoState = "holds no state of the job";

    private MessageHeader? _reported;
    private long _pumping;
    private long _protectedIn;

    public int Number => number;

    public string Key => key;

    /// <summary>Ends with its silo, or with the job's place.</summary>
    public Life Life { get; private set; } = new(cluster.HostOf(key));

    /// <summary>It answers nobody any more.</summary>
    public bool IsDead { get; set; }

    /// <summary>Its version when it was released; null: it was not.</summary>
    public long? ReleasedAt { get; set; }

    /// <summary>It has begun a generation of the job, and was not released since.</summary>
    public bool HasJob { get; private set; }

    /// <summary>It takes nothing of an older generation.</summary>
    public long Promised { get; private set; }

    /// <summary>The first generation of the job's place of which it has its state; -1: it has none.</summary>
    public long Place { get; private set; } = -1;

    public PartitionMachine? Partition { get; private set; }

    public BatchNormMachine? BatchNorm { get; private set; }

    public CoordinatorMachine? Coordinator { get; private set; }

    /// <summary>Carries the coordinator's decisions.</summary>
    public SimulatedCoordinator? Messenger { get; private set; }

    public Assignment? Assignment { get; private set; }

    public long Version => Partition?.Version ?? BatchNorm?.Version ?? Coordinator!.Position.Step;

    public bool IsProtected => Partition?.IsProtected ?? BatchNorm?.IsProtected ?? Coordinator!.IsProtected;

    private bool IsInStep => Partition?.IsInStep ?? BatchNorm?.IsInStep ?? true;

    private long Generation => Partition?.Generation ?? BatchNorm?.Generation ?? Coordinator!.Generation;

    /// <summary>Another activation, whose machine has this state.</summary>
    /// <param name="place">The first generation of the job's place.</param>
    public void Start(long place, PartitionMachine? partition, BatchNormMachine? batchNorm, CoordinatorMachine? coordinator)
    {
        (Partition, BatchNorm, Coordinator, Place, ReleasedAt) = (partition, batchNorm, coordinator, place, null);
        (Assignment, HasJob, _reported) = (null, false, null);
        Life = new Life(cluster.HostOf(key));
        Messenger = coordinator is null ? null : new SimulatedCoordinator(cluster, this);
    }

    /// <summary>It knows no newer generation, nor has it begun this one.</summary>
    public bool MayBegin(Assignment assignment) => assignment.Generation >= Promised && assignment.Generation != Assignment?.Generation;

    /// <summary>It holds nothing of the job any more, and still hears no generation older than what it has promised.</summary>
    public void Forget() => HasJob = false;

    public bool HoldsState => Partition?.HoldsState ?? BatchNorm?.HoldsState ?? Coordinator!.HoldsState;

    public FrozenAt Freeze(MessageHeader header)
    {
        if (header.Generation < Promised)
        {
            return FrozenAt.Not(Verdict.Stale);
        }

        FrozenAt frozen = Partition?.Freeze(header) ?? BatchNorm?.Freeze(header) ?? Messenger!.Freeze(header);
        if (frozen.Answer.Verdict == Verdict.Stale)
        {
            return frozen;
        }

        Promised = header.Generation;
        return HasJob ? frozen : FrozenAt.Not(Nothing());
    }

    /// <summary>True the first time that it is asked for a step of a generation.</summary>
    public bool TakeReport(MessageHeader header)
    {
        bool isNew = _reported != header;
        _reported = header;
        return isNew;
    }

    public Answer Begin(Assignment assignment)
    {
        bool asStandby = assignment.Servers.IsStandby(number, key);
        if (!HasJob && assignment.Start == AssignmentStart.GoOn && !asStandby && MayBegin(assignment))
        {
            return Nothing();
        }

        Answer answer = Partition?.Begin(assignment, asStandby) ?? BatchNorm?.Begin(assignment, asStandby) ?? Messenger!.Begin(assignment, asStandby);
        if (answer.Verdict == Verdict.Accepted)
        {
            (Assignment, HasJob) = (assignment, true);
            Promised = assignment.Generation;
            AfterMessage();
            if (!asStandby && IsProtected)
            {
                TellProtected();
            }
        }

        return answer;
    }

    /// <returns>Future while the standby has not taken the step, too: then it is asked again.</returns>
    public Answer Commit(StepDecision decision)
    {
        Answer answer = Partition?.Commit(decision) ?? BatchNorm!.Commit(decision);
        cluster.Counts.Add(Partition is null ? "decision at the batch norms" : "decision at a partition", answer);
        cluster.Invariants.Took(key, decision.Header, answer);
        AfterMessage();
        if (answer.Verdict == Verdict.Accepted)
        {
            cluster.Invariants.Applied(this);
        }

        return answer.IsAcknowledged && !IsInStep ? Verdict.Future : answer;
    }

    /// <summary>Reports what is complete, and tells the standby what it lacks.</summary>
    public void AfterMessage()
    {
        if (Partition?.Report is { } partition)
        {
            PartitionMachine machine = Partition;
            cluster.ReportOnce(this, partition.Header, coordinator => coordinator.Report(partition), () => machine.NoteReported(partition.Header));
        }

        if (BatchNorm?.Report is { } report)
        {
            BatchNormMachine machine = BatchNorm;
            cluster.ReportOnce(this, report.Header, coordinator => coordinator.Report(report), () => machine.NoteReported(report.Header));
        }

        if (_pumping != Generation && Assignment?.Servers.StandbyOf(number) is { } standby && standby.Key != key)
        {
            cluster.Watch(PumpAsync(Generation, standby.Key));
        }
    }

    /// <summary>As the standby, takes what is forwarded.</summary>
    public Answer Follow(PartitionForward forward, float[] floats)
    {
        Answer answer = cluster.Counts.Add($"{forward.Part} for a standby", Partition!.Follow(forward, floats));
        cluster.Network.Tell(() => $"{key} follows {forward.Part} of step {forward.Header.Step}, chunk {forward.Chunk}, slot {forward.Slot}: {answer}");
        cluster.Invariants.Took(key, forward.Header, answer);
        if (answer.Verdict == Verdict.Accepted && forward.Part == ForwardPart.Decision)
        {
            cluster.Invariants.Applied(this);
        }

        return answer;
    }

    public Answer Follow(BatchNormForward forward)
    {
        Answer answer = cluster.Counts.Add("statistics for a standby", BatchNorm!.Follow(forward));
        cluster.Invariants.Took(key, forward.Header, answer);
        if (answer.Verdict == Verdict.Accepted)
        {
            cluster.Invariants.Applied(this);
        }

        return answer;
    }

    private async Task PumpAsync(long generation, string standby)
    {
        _pumping = generation;
        while (Generation == generation && await ForwardAsync(standby).ConfigureAwait(false))
        {
            if (Generation == generation && IsProtected)
            {
                TellProtected();
            }
        }

        if (_pumping == generation)
        {
            _pumping = 0;
        }
    }

    /// <returns>False if there is nothing to forward, or the standby takes no more.</returns>
    private async Task<bool> ForwardAsync(string standby)
    {
        if (Partition is { } partition)
        {
            if (partition.NextForward() is not { } forward)
            {
                return false;
            }

            float[] floats = partition.FloatsOf(forward)?.Span.ToArray() ?? [];
            Answer answer = await cluster.CallAsync(Life, standby, copy => copy.Follow(forward, floats), SimulatedCluster.IsFinal).ConfigureAwait(false);
            if (!IsTaken(answer))
            {
                return false;
            }

            partition.NoteForwarded(forward);
        }
        else if (BatchNorm is { } batchNorm)
        {
            if (batchNorm.NextForward() is not { } forward)
            {
                return false;
            }

            Answer answer = await cluster.CallAsync(Life, standby, copy => copy.Follow(forward), SimulatedCluster.IsFinal).ConfigureAwait(false);
            if (!IsTaken(answer))
            {
                return false;
            }

            batchNorm.NoteForwarded(forward);
        }
        else
        {
            return await Messenger!.ForwardAsync(standby).ConfigureAwait(false);
        }

        AfterMessage();
        return true;
    }

    public bool IsTaken(Answer answer)
    {
        if (answer.IsRefused)
        {
            cluster.Complain($"{key} forwards: {answer.Reason}");
        }

        return answer.IsAcknowledged;
    }

    private void TellProtected()
    {
        MessageHeader header = Assignment!.HeaderOf(Version);
        if (_protectedIn != header.Generation)
        {
            _protectedIn = header.Generation;
            cluster.Watch(cluster.CallHeadAsync(Life, grain => grain.Protected(header, number), SimulatedCluster.IsFinal));
        }
    }

    private Answer Nothing() => new(Verdict.Rejected, $"{key} {NoState}.");
}
