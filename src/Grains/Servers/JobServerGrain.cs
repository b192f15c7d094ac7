using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;

namespace ConvNet.Grains.Servers;

/// <summary>
/// The life of a job's server, whatever it serves: it holds the state of one job, goes from generation to generation and never back, reports
/// each step once, and frees itself when its job has let it go, has ended, or is gone.
/// </summary>
/// <typeparam name="TMachine">The state.</typeparam>
internal abstract class JobServerGrain<TMachine>(ServerDeadlines deadlines, JobMemory memory) : Grain
    where TMachine : class
{
    private const int LongestWait = 3_000;

    private Assignment? _assignment;
    private TMachine? _machine;

    /// <summary>No generation before this one has an effect here. The machine knows, too, but there is not always one.</summary>
    private long _promised;
    private int _beginning;
    private int _server;
    private long _reportedStep = -1;
    private string? _job;
    private IGrainTimer? _watch;
    private long _lastSign;
    private long? _askedInVainSince;
    private long _forwarding;
    private long _protectedIn;

    /// <summary>Raised when something has changed that a call inside this grain may wait for; whoever waits must look again.</summary>
    protected VersionSignal Changed { get; } = new();

    /// <summary>For errors.</summary>
    protected abstract string Role { get; }

    protected Assignment Assignment => _assignment ?? throw JobNotHere();

    /// <summary>Every message of the job asks for it, so that it is also the sign that there is still a job.</summary>
    protected TMachine Machine
    {
        get
        {
            _lastSign = Environment.TickCount64;
            return _machine ?? throw JobNotHere();
        }
    }

    /// <summary>Null after a release: the generation of whoever waited is over then.</summary>
    protected TMachine? MachineIfHeld => _machine;

    public Task<FrozenAt> FreezeAsync(MessageHeader header)
    {
        FrozenAt frozen = header.Generation < _promised || header.Generation <= _assignment?.Generation ? FrozenAt.Not(Verdict.Stale)
            : _assignment is null ? FrozenAt.Not(NoState(header.JobId))
            : _machine is null ? new FrozenAt(Verdict.Accepted, FrozenAt.Stateless)
            : Freeze(_machine, header);
        if (frozen.Answer.Verdict != Verdict.Stale)
        {
            Promise(header.JobId, header.Generation);
            Changed.Raise();
        }

        return Task.FromResult(frozen);
    }

    public Task ReleaseAsync(MessageHeader header)
    {
        if (header.Generation >= _promised)
        {
            _promised = header.Generation + 1;
            Free();
        }

        return Task.CompletedTask;
    }

    protected abstract FrozenAt Freeze(TMachine machine, MessageHeader header);

    /// <summary>
    /// Begins a generation with the state that is here, or with new state. While that is made, other calls may begin, freeze or release: then
    /// it is dropped, so that there is never a second machine, and none after a release.
    /// </summary>
    /// <param name="create">Runs on a thread of the pool. Null: the job's model has nothing to keep here.</param>
    /// <param name="server">Its number.</param>
    protected async Task<Answer> BeginAsync(Assignment assignment, int server, Func<TMachine>? create, Func<TMachine, Answer> begin)
    {
        bool asStandby = assignment.Servers.IsStandby(server, this.GetPrimaryKeyString());
        if (WhyNotBegin(assignment, needsState: create is not null && !asStandby) is { } screened)
        {
            return screened;
        }

        TMachine? machine = _machine;
        if (create is not null && (assignment.Start != AssignmentStart.GoOn || machine is null))
        {
            machine = await CreateAsync(create);
            if (WhyNotBegin(assignment, needsState: false) is { } overtaken)
            {
                return overtaken;
            }
        }

        Answer answer = machine is null ? Verdict.Accepted : begin(machine);
        if (answer.Verdict == Verdict.Accepted)
        {
            Hold(machine);
            _assignment = assignment;
            _reportedStep = -1;
            Promise(assignment.JobId, assignment.Generation);
            Changed.Raise();
            _server = server;
            TellProtected();
            Forward();
        }

        return answer;
    }

    /// <summary>Tells the coordinator of a step, the first time that it is asked to in a generation.</summary>
    /// <param name="noteTaken">Called when the coordinator has taken the report.</param>
    protected void ReportOnce(
        MessageHeader step, string who, Func<IStepCoordinatorGrain, Task<Answer>> report, Action<TMachine, MessageHeader> noteTaken)
    {
        if (step.Step != _reportedStep)
        {
            _reportedStep = step.Step;
            IStepCoordinatorGrain coordinator = GrainFactory.GetGrain<IStepCoordinatorGrain>(Assignment.Servers.Coordinator);
            ReportAsync(step, who, () => report(coordinator), noteTaken).Ignore();
        }
    }

    private async Task ReportAsync(MessageHeader step, string who, Func<Task<Answer>> report, Action<TMachine, MessageHeader> noteTaken)
    {
        Answer? answer = await GrainCalls.TellAsync(GrainFactory, Assignment, who, report);
        if (answer is { IsAcknowledged: true } && MachineIfHeld is { } machine)
        {
            noteTaken(machine, step);
        }
    }

    /// <summary>The next message for the standby, or null if there is none now: how it is sent, and what follows when it is taken.</summary>
    protected abstract (Func<Task<Answer>> Send, Action NoteTaken)? NextForward(TMachine machine, string standby);

    /// <summary>True if the standby could take this server's place.</summary>
    protected abstract bool IsProtected(TMachine machine);

    /// <summary>Tells the standby, if there is one, what it lacks: to be called whenever there may be something.</summary>
    protected void Forward()
    {
        if (_assignment is { } assignment && _forwarding != assignment.Generation && StandbyOf(assignment) is { } standby && _machine is not null)
        {
            _forwarding = assignment.Generation;
            ForwardAsync(assignment, standby).Ignore();
        }
    }

    /// <summary>The answer to a decision, when the standby has it, too; Future if that takes longer than a call may wait: it is told again.</summary>
    protected async Task<Answer> WhenInStepAsync(Answer answer, Func<TMachine, bool> isInStep)
    {
        long start = Environment.TickCount64;
        while (answer.IsAcknowledged && _machine is { } machine && !isInStep(machine))
        {
            if (Environment.TickCount64 - start > LongestWait)
            {
                return Verdict.Future;
            }

            await Changed.WaitAsync();
        }

        return answer;
    }

    protected ConvNetException JobNotHere()
    {
        // Whoever asks is late or astray, and an activation without state must not stay for it; but one that is just beginning must.
        if (_beginning == 0 && _watch is null)
        {
            DeactivateOnIdle();
        }

        return new ConvNetException(ExitCode.Environment, $"{Role} '{this.GetPrimaryKeyString()}' holds no job; its silo has restarted.");
    }

    private string? StandbyOf(Assignment assignment) =>
        assignment.Servers.StandbyOf(_server) is { } standby && standby.Key != this.GetPrimaryKeyString() ? standby.Key : null;

    /// <summary>One message after the other, until nothing is left or the generation is over.</summary>
    private async Task ForwardAsync(Assignment assignment, string standby)
    {
        try
        {
            while (_assignment == assignment && _machine is { } machine && NextForward(machine, standby) is { } next)
            {
                Answer answer = await GrainCalls.DeliverAsync(next.Send, () => $"{Role} '{this.GetPrimaryKeyString()}' to its standby");
                if (_assignment != assignment || !answer.IsAcknowledged)
                {
                    return;
                }

                next.NoteTaken();
                Changed.Raise();
                TellProtected();
            }
        }
        catch (Exception e)
        {
            // A silo that is gone is what the job finds out by itself, with all that was there.
            await Task.Delay(deadlines.Standby);
            if (_assignment == assignment)
            {
                string reason = GrainFailure.IsLostContact(e) ? $"cannot be reached ({GrainFailure.Contact(e)})" : $"has failed ({e.Message.TrimEnd('.')})";
                TellJob(assignment, job => job.LostStandbyAsync(assignment.HeaderOf(assignment.FirstStep), _server, reason));
            }
        }
        finally
        {
            if (_forwarding == assignment.Generation)
            {
                _forwarding = 0;
            }
        }
    }

    /// <summary>Once in a generation. A server that keeps nothing, as the model has nothing for it, is protected as soon as it has a standby.</summary>
    private void TellProtected()
    {
        if (_assignment is { } assignment && _protectedIn != assignment.Generation && StandbyOf(assignment) is not null
            && (_machine is null || IsProtected(_machine)))
        {
            _protectedIn = assignment.Generation;
            TellJob(assignment, job => job.ProtectedAsync(assignment.HeaderOf(assignment.FirstStep), _server));
        }
    }

    private void TellJob(Assignment assignment, Func<IJobControlGrain, Task<Answer>> tell)
    {
        IJobControlGrain job = GrainFactory.GetGrain<IJobControlGrain>(assignment.JobId);
        GrainCalls.TellAsync(GrainFactory, assignment, Role, () => tell(job)).Ignore();
    }

    private async Task<TMachine> CreateAsync(Func<TMachine> create)
    {
        _beginning++;
        try
        {
            return await Task.Run(create);
        }
        finally
        {
            _beginning--;
        }
    }

    /// <summary>Null if the generation may begin.</summary>
    private Answer? WhyNotBegin(Assignment assignment, bool needsState)
    {
        if (assignment.Generation < _promised)
        {
            return Verdict.Stale;
        }

        if (assignment.Generation == _assignment?.Generation)
        {
            return Verdict.Duplicate;
        }

        return assignment.Start switch
        {
            AssignmentStart.GoOn when needsState && _machine is null => NoState(assignment.JobId),
            AssignmentStart.Fresh when assignment.FirstStep != 0 => new Answer(
                Verdict.Rejected,
                $"generation {assignment.Generation} of job '{assignment.JobId}' is to start fresh at step {assignment.FirstStep}, but the seed gives " +
                "the state of step 0 only; go on or restore a checkpoint."),
            _ => null,
        };
    }

    private Answer NoState(string jobId) => new(
        Verdict.Rejected, $"{Role} '{this.GetPrimaryKeyString()}' holds no state of job '{jobId}': its silo has restarted.");

    private void Promise(string jobId, long generation)
    {
        _promised = Math.Max(_promised, generation);
        _job = jobId;
        _lastSign = Environment.TickCount64;
        _watch ??= this.RegisterGrainTimer(
            WatchAsync, new GrainTimerCreationOptions(deadlines.Silence, deadlines.Silence) { Interleave = true, KeepAlive = true });
    }

    /// <summary>After a long silence: asks the job grain whether the job still needs this server.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        long sign = _lastSign;
        if (Environment.TickCount64 - sign < deadlines.Silence.TotalMilliseconds)
        {
            _askedInVainSince = null;
            return;
        }

        bool isNeeded;
        try
        {
            isNeeded = await GrainFactory.GetGrain<IJobControlGrain>(_job!).NeedsAsync(this.GetPrimaryKeyString());
            _askedInVainSince = null;
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            _askedInVainSince ??= Environment.TickCount64;
            isNeeded = Environment.TickCount64 - _askedInVainSince < deadlines.Unreachable.TotalMilliseconds;
        }

        if (!isNeeded && _lastSign == sign)
        {
            _promised++;
            Free();
        }
    }

    private void Hold(TMachine? machine)
    {
        if (_machine is null && machine is not null)
        {
            memory.Hold();
        }
        else if (_machine is not null && machine is null)
        {
            memory.Free();
        }

        _machine = machine;
    }

    private void Free()
    {
        Hold(null);
        _assignment = null;
        _watch?.Dispose();
        _watch = null;
        Changed.Raise();
        DeactivateOnIdle();
    }
}
