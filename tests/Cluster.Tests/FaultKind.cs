namespace ConvNet.Cluster.Tests;

/// <summary>A kind of fault, and how soon it should be noticed, be over and be told; a figure without a target is null.</summary>
/// <param name="Noticed">Seconds since the last sign of life.</param>
/// <param name="Gap">Seconds without a step.</param>
/// <param name="Said">Seconds from the fault until the console tells of it.</param>
internal sealed record FaultKind(FaultVictim Victim, FaultAction Action, double? Noticed = null, double? Gap = null, double? Said = null)
{
    public static FaultKind[] All { get; } =
    [
        new(FaultVictim.Worker, FaultAction.Kill, 2, 5, 3),
        new(FaultVictim.Worker, FaultAction.Freeze, 10, 15, 12),
        new(FaultVictim.Worker, FaultAction.Suspend, 10, 15, 12),
        new(FaultVictim.Worker, FaultAction.Terminate),
        new(FaultVictim.Worker, FaultAction.CutOff, 10, 15, 12),
        new(FaultVictim.Leader, FaultAction.Kill, 2, 5, 3),
        new(FaultVictim.Leader, FaultAction.Freeze, 10, 15, 12),
        new(FaultVictim.Leader, FaultAction.Suspend, 10, 15, 12),
        new(FaultVictim.Leader, FaultAction.Terminate),
        new(FaultVictim.Leader, FaultAction.CutOff, 10, 15, 12),
        new(FaultVictim.Server, FaultAction.Kill, Gap: 10),
        new(FaultVictim.Server, FaultAction.Freeze, Gap: 15),
        new(FaultVictim.Server, FaultAction.Suspend, Gap: 15),
        new(FaultVictim.LoneServer, FaultAction.Kill),
        new(FaultVictim.Silo, FaultAction.Kill, Gap: 10),
        new(FaultVictim.Silo, FaultAction.Kill, Gap: 10) { Job = FaultJob.ResNet20 },
        new(FaultVictim.Silo, FaultAction.Freeze, Gap: 15),
        new(FaultVictim.Silo, FaultAction.Suspend, Gap: 15),
        new(FaultVictim.Silo, FaultAction.Terminate),
        new(FaultVictim.TwoSilos, FaultAction.Kill),
        new(FaultVictim.Everything, FaultAction.Kill),
        new(FaultVictim.Client, FaultAction.Kill),
        new(FaultVictim.Client, FaultAction.Freeze),
        new(FaultVictim.Client, FaultAction.Suspend),
        new(FaultVictim.Client, FaultAction.Terminate),
        new(FaultVictim.Console, FaultAction.Kill),
        new(FaultVictim.Console, FaultAction.Suspend),
        new(FaultVictim.Console, FaultAction.Terminate),
        new(FaultVictim.Redis, FaultAction.Suspend),
        new(FaultVictim.Redis, FaultAction.Restart),
        new(FaultVictim.RedisAndWorker, FaultAction.Suspend),
        new(FaultVictim.RedisAndWorker, FaultAction.Restart),
    ];

    public FaultJob Job { get; init; } = FaultJob.Lenet;

    public string Name => $"{Victim}-{Action}{(Job == FaultJob.Lenet ? "" : $"-{Job.Model}")}";

    /// <summary>Happens to three silos with all roles.</summary>
    public bool HitsAllRoles => Victim is FaultVictim.Silo or FaultVictim.TwoSilos or FaultVictim.Everything;

    /// <summary>Takes more than standbys can replace, so that the job goes back to a checkpoint.</summary>
    public bool GoesBack => Victim is FaultVictim.LoneServer or FaultVictim.TwoSilos or FaultVictim.Everything;

    public bool HitsWorker => Victim is FaultVictim.Worker or FaultVictim.RedisAndWorker;

    public bool HitsRedis => Victim is FaultVictim.Redis or FaultVictim.RedisAndWorker;

    /// <summary>The victim goes on after it has been given up.</summary>
    public bool Wakes => Action is FaultAction.Suspend or FaultAction.CutOff;

    public static FaultKind Of(string name) => All.Single(kind => kind.Name == name);
}
