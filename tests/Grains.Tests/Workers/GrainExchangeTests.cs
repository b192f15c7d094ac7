using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Tests.Protocol;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

public class GrainExchangeTests
{
    private static readonly Model Net = new(ModelFile.Parse(
        """
        {"name":"n","input":[1,4,4],"layers":[
          {"type":"conv","out":3,"kernel":3},{"type":"batchNorm"},{"type":"flatten"},{"type":"fullyConnected","out":2}]}
        """),
        BatchNormMode.Sync);

    private readonly EngineWaits _waits = new("a/0");
    private readonly WorkerProgress _progress = new();
    private readonly FakeServers _servers = new(Net);
    private readonly GrainExchange _exchange;

    public GrainExchangeTests()
    {
        _exchange = new GrainExchange(Net, _servers.Links, ProtocolFixture.TwoWorkers(), 0, _waits, _progress);
    }

    /// <summary>Every wait of the engine's thread, and how a server keeps it waiting.</summary>
    public static TheoryData<string, string> Waits =>
    [
        .. from wait in new[] { "pull", "pull all", "moments", "backward sums", "push", "report", "moments of nobody", "sums of nobody", "statistics" }
           from how in new[] { "silent", "not yet", "unreachable" }
           select (wait, how),
    ];

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task The_end_of_the_assignment_gets_the_engines_thread_back(string wait, string how)
    {
        int asked = 0;
        _servers.Partition.OnPull = wait.StartsWith("pull", StringComparison.Ordinal) ? (_, _) => Keep<BlockAnswer>(Verdict.Future) : _servers.Partition.OnPull;
        _servers.Partition.OnPush = wait == "push" ? _ => Keep<Answer>(Verdict.Future) : _servers.Partition.OnPush;
        _servers.Coordinator.OnReport = wait == "report" ? _ => Keep<Answer>(Verdict.Future) : _servers.Coordinator.OnReport;
        _servers.BatchNorm.Answer = () => Keep<BlockAnswer>(Verdict.Future);

        Task waiting = Patience.Run(() => Wait(wait));
        await Patience.Until(() => Volatile.Read(ref asked) > 0);
        Assert.False(waiting.IsCompleted);
        _waits.End();

        await Assert.ThrowsAsync<StepAbortedException>(() => waiting);
        Assert.Throws<StepAbortedException>(() => _exchange.BeginStep(1, Plan()));

        Task<T> Keep<T>(Answer future)
        {
            Interlocked.Increment(ref asked);
            return how switch
            {
                "silent" => new TaskCompletionSource<T>().Task,
                "not yet" => Task.FromResult((T)(typeof(T) == typeof(Answer) ? (object)future : new BlockAnswer(future))),
                _ => Task.FromException<T>(new TimeoutException("no answer.")),
            };
        }
    }

    [Fact]
    public async Task The_phase_says_what_the_engine_waits_for()
    {
        var gate = new TaskCompletionSource<Answer>();
        _servers.Coordinator.OnReport = _ => gate.Task;
        Task waiting = Patience.Run(() => Wait("report"));

        await Patience.Until(() => Phase() == WorkerPhase.WaitingForPush);
        gate.SetResult(Verdict.Accepted);
        await waiting;

        Assert.Equal(WorkerPhase.Computing, Phase());
        Assert.True(_progress.StatusOf("a/0", default, 1).PushSeconds > 0);

        WorkerPhase Phase()
        {
            return _progress.StatusOf("a/0", default, 1).Phase;
        }
    }

    [Fact]
    public async Task A_server_that_says_not_yet_for_too_long_ends_the_wait_with_who_waits_for_what()
    {
        var impatient = new EngineWaits("a/0", TimeSpan.Zero);
        _servers.BatchNorm.Answer = () => Task.FromResult<BlockAnswer>(new Answer(Verdict.Future));
        var exchange = new GrainExchange(Net, _servers.Links, ProtocolFixture.TwoWorkers(), 0, impatient, _progress);
        exchange.BeginStep(0, Plan());

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(
            () => Patience.Run(() => exchange.ReduceMoments(0, [Sums()])));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.Contains("worker a/0 has waited 0 s for batch norm 0 of step 0", error.Message);
    }

    private static Moments Sums() => new(4, new double[3], new double[3]);

    private static ShardPlan Plan() => new(ProtocolFixture.Job.TreeOf(0), 0, 2);

    private void Wait(string wait)
    {
        if (wait is not ("pull all" or "statistics"))
        {
            _exchange.BeginStep(0, Plan());
        }

        switch (wait)
        {
            case "pull":
                _exchange.Pull(Net.Parameters[0]);
                break;
            case "pull all":
                _exchange.PullAll(0);
                break;
            case "statistics":
                _exchange.ReadStatistics(0, 0);
                break;
            case "moments":
                _exchange.ReduceMoments(0, [Sums()]);
                break;
            case "backward sums":
                _exchange.ReduceBackwardSums(0, [new BackwardSums(new double[3], new double[3])]);
                break;
            case "moments of nobody":
                _exchange.ReportMoments(0, [Sums()]);
                _exchange.EndStep([], 4);
                break;
            case "sums of nobody":
                _exchange.ReportBackwardSums(0, [new BackwardSums(new double[3], new double[3])]);
                _exchange.EndStep([], 4);
                break;
            default:
                foreach (Parameter parameter in Net.Parameters.Reverse())
                {
                    parameter.ReserveRoots(1);
                    _exchange.GradientReady(parameter);
                }

                _exchange.EndStep([], 4);
                break;
        }
    }
}
