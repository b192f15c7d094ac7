using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain calls servers and their standbys, notices that their silos are lost, and finds silos for new standbys.</summary>
internal sealed partial class JobGrain
{
    /// <summary>Silos that were taken for lost, and with which address: no standby goes there before they are started anew.</summary>
    private readonly Dictionary<string, SiloAddress> _lostSilos = [];

    public Task<Answer> ProtectedAsync(MessageHeader header, int server) => Take(machine => machine.Protected(header, server));

    public Task<Answer> LostStandbyAsync(MessageHeader header, int server, string reason) =>
        Take(machine => machine.LoseStandby(header, server, reason, _clock.Now));

    private static IEnumerable<int> Numbers(ServerKeys servers) => Enumerable.Range(0, servers.CoordinatorServer + 1);

    /// <summary>A silo that is gone and has a server of the job, or a standby; null while there is none.</summary>
    private string? LostSilo() => Machine.HasEnded ? null : Machine.Servers?.All.Select(PinnedKey.SiloOf).FirstOrDefault(IsGone);

    /// <summary>The job goes on without the silos that are gone, with standbys or from its last checkpoint.</summary>
    /// <returns>False while every server's silo is there, and every standby's.</returns>
    private bool LeaveLostServers()
    {
        bool left = false;
        for (; LostSilo() is { } silo; left = true)
        {
            LoseSilo(silo, "has left the cluster");
        }

        return left;
    }

    private void LoseSilo(string silo, string reason)
    {
        string state = Spoken(Machine.State);
        LogLost(logger, JobId, silo, reason, state, Machine.Step);
        if (_silos.TryGetValue(silo, out SiloAddress? address))
        {
            _lostSilos[silo] = address;
        }

        Machine.LoseSilo(silo, reason, _clock.Now);
    }

    /// <summary>Standbys for servers without one, as soon as there is a silo for them.</summary>
    private void SeekStandbys()
    {
        if (Submission.Layout.Standbys == 0 || !Machine.WantsStandbys)
        {
            return;
        }

        ServerKeys next = WithStandbys(Machine.Servers!);
        Machine.OfferStandbys(next);
        if (ServerRoles.WhyUnprotected(next, StandbySilos(), ServerRoles.HostsOf(catalog.All())) is { } why)
        {
            Machine.TellUnprotected(why);
        }
    }

    private string[] StandbySilos() => [.. Silos.Where(silo => silo.Servers && !IsLost(silo.Name)).Select(silo => silo.Name)];

    private ServerKeys WithStandbys(ServerKeys servers)
    {
        ServerKeys next = ServerRoles.WithStandbys(servers, StandbySilos(), ServerRoles.HostsOf(catalog.All()));
        IEnumerable<string> used = next.Standbys.OfType<Standby>().Select(standby => PinnedKey.SiloOf(standby.Key));
        foreach (string silo in used.Where(silo => !_silos.ContainsKey(silo) || IsGone(silo)))
        {
            Know(silo);
        }

        return next;
    }

    private bool IsLost(string silo) => _lostSilos.TryGetValue(silo, out SiloAddress? known) && known.Equals(catalog.AddressOf(silo));

    private async Task FreezeAsync(MessageHeader header, ServerKeys servers)
    {
        Task<FrozenAt?[]> standbys = Task.WhenAll(Numbers(servers).Select(server => FreezeStandbyAsync(header, servers, server)));
        FrozenAt[] frozen = await Task.WhenAll(Numbers(servers).Select(server => GrainCalls.CallAsync(
            () => FreezeAsync(header, servers, server, servers.KeyOf(server)), () => $"freeze of {ServerRoles.NameOf(servers, server)}")));
        Machine.Frozen(header.Generation, frozen[servers.CoordinatorServer], frozen[..servers.CoordinatorServer], await standbys);
    }

    /// <returns>Null if there is none, or it cannot be called: the generation begins without it.</returns>
    private async Task<FrozenAt?> FreezeStandbyAsync(MessageHeader header, ServerKeys servers, int server)
    {
        if (servers.StandbyOf(server) is not { } standby)
        {
            return null;
        }

        try
        {
            return await FreezeAsync(header, servers, server, standby.Key);
        }
        catch (Exception e)
        {
            LogStandby(logger, JobId, ServerRoles.NameOf(servers, server), standby.Key, e.Message);
            return null;
        }
    }

    /// <summary>A standby that cannot begin is told anew by its server, or is lost.</summary>
    private async Task BeginStandbyAsync(Assignment assignment, JobPosition position, int server)
    {
        if (assignment.Servers.StandbyOf(server) is not { } standby)
        {
            return;
        }

        try
        {
            await BeginAsync(assignment, position, server, standby.Key);
        }
        catch (Exception e)
        {
            LogStandby(logger, JobId, ServerRoles.NameOf(assignment.Servers, server), standby.Key, e.Message);
        }
    }

    private Task<FrozenAt> FreezeAsync(MessageHeader header, ServerKeys servers, int server, string key) =>
        server == servers.CoordinatorServer ? GrainFactory.GetGrain<IStepCoordinatorGrain>(key).FreezeAsync(header)
        : server == servers.BatchNormServer ? GrainFactory.GetGrain<IBatchNormGrain>(key).FreezeAsync(header)
        : GrainFactory.GetGrain<IParameterServerGrain>(key).FreezeAsync(header);

    private Task<Answer> BeginAsync(Assignment assignment, JobPosition position, int server, string key) =>
        server == assignment.Servers.CoordinatorServer ? GrainFactory.GetGrain<IStepCoordinatorGrain>(key).BeginAsync(assignment, position)
        : server == assignment.Servers.BatchNormServer ? GrainFactory.GetGrain<IBatchNormGrain>(key).BeginAsync(assignment, position.Updates)
        : GrainFactory.GetGrain<IParameterServerGrain>(key).BeginAsync(assignment);

    private Task ReleaseAsync(ServerKeys servers, int server, string key, MessageHeader end) =>
        server == servers.CoordinatorServer ? GrainFactory.GetGrain<IStepCoordinatorGrain>(key).ReleaseAsync(end)
        : server == servers.BatchNormServer ? GrainFactory.GetGrain<IBatchNormGrain>(key).ReleaseAsync(end)
        : GrainFactory.GetGrain<IParameterServerGrain>(key).ReleaseAsync(end);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job}: silo {Silo} {Reason} while the job was {State} at step {Step}")]
    private static partial void LogLost(ILogger logger, string job, string silo, string reason, string state, long step);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} cannot call the standby of its {Role}, {Key}: {Message}")]
    private static partial void LogStandby(ILogger logger, string job, string role, string key, string message);
}
