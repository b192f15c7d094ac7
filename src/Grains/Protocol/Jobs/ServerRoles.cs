using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How the servers of a job and their standbys are dealt over silos, and who takes the place of those that are lost. Pure.</summary>
internal static class ServerRoles
{
    /// <summary>What people call the server with this number.</summary>
    public static string NameOf(ServerKeys servers, int server) => servers.ByRole.ElementAt(server).Role;

    /// <summary>Numbers of the servers that have no standby.</summary>
    public static IEnumerable<int> Unprotected(ServerKeys servers) =>
        Enumerable.Range(0, servers.CoordinatorServer + 1).Where(server => servers.StandbyOf(server) is null);

    /// <summary>What a silo has: the servers, and the numbers of those whose standbys are there.</summary>
    public static (string[] Servers, int[] Standbys) On(ServerKeys servers, string silo) => (
        [.. servers.ByRole.Where(server => PinnedKey.SiloOf(server.Key) == silo).Select(server => server.Role)],
        [.. Enumerable.Range(0, servers.Standbys.Length).Where(server => IsOn(servers.StandbyOf(server)?.Key, silo))]);

    /// <summary>
    /// The servers without those on a silo: their standbys serve in their places. The checkpoint writer, which holds no state, goes to where the
    /// coordinator is.
    /// </summary>
    /// <returns>Null if the state of some server is on no other silo.</returns>
    public static ServerKeys? Without(ServerKeys servers, string silo)
    {
        string?[] keys = [.. Enumerable.Range(0, servers.CoordinatorServer + 1).Select(server =>
            !IsOn(servers.KeyOf(server), silo) ? servers.KeyOf(server)
            : servers.StandbyOf(server) is { } standby && !IsOn(standby.Key, silo) ? standby.Key
            : null)];
        if (keys.Contains(null))
        {
            return null;
        }

        string coordinator = keys[servers.CoordinatorServer]!;
        return new ServerKeys(
            [.. keys[..servers.Partitions.Length]!],
            keys[servers.BatchNormServer]!,
            coordinator,
            IsOn(servers.Checkpoint, silo) ? PinnedKey.OfJob(PinnedKey.SiloOf(coordinator), PinnedKey.JobOf(servers.Checkpoint)) : servers.Checkpoint)
        {
            Standbys = [.. servers.Standbys.Select((standby, server) => IsOn(standby?.Key, silo) || standby?.Key == keys[server] ? null : standby)],
        };
    }

    /// <summary>The servers with the standbys of some of them, by number, in their places.</summary>
    public static ServerKeys Promote(ServerKeys servers, IReadOnlyList<int> numbers) => numbers.Count == 0 ? servers : new ServerKeys(
        [.. servers.Partitions.Select((key, partition) => numbers.Contains(partition) ? servers.StandbyOf(partition)!.Key : key)],
        numbers.Contains(servers.BatchNormServer) ? servers.StandbyOf(servers.BatchNormServer)!.Key : servers.BatchNorm,
        numbers.Contains(servers.CoordinatorServer) ? servers.StandbyOf(servers.CoordinatorServer)!.Key : servers.Coordinator,
        servers.Checkpoint)
    {
        Standbys = [.. servers.Standbys.Select((standby, server) => numbers.Contains(server) ? null : standby)],
    };

    /// <summary>The same servers, without the standbys on a silo.</summary>
    public static ServerKeys WithoutStandbys(ServerKeys servers, string silo) =>
        servers with { Standbys = [.. servers.Standbys.Select(standby => IsOn(standby?.Key, silo) ? null : standby)] };

    /// <summary>The hosts of the silos that name theirs.</summary>
    public static Dictionary<string, string> HostsOf(IEnumerable<SiloOffer> silos) =>
        silos.Where(silo => silo.Host is not null).ToDictionary(silo => silo.Name, silo => silo.Host!);

    /// <summary>
    /// The same servers, each with a standby on the next of these silos that is not its own, nor on the same host: of those the one with the fewest, if
    /// its own silo names its host. Those that have a standby keep it.
    /// </summary>
    /// <param name="silos">That serve, in the order of names.</param>
    /// <param name="hosts">By silo; those that are missing may be anywhere.</param>
    public static ServerKeys WithStandbys(ServerKeys servers, IReadOnlyList<string> silos, IReadOnlyDictionary<string, string>? hosts = null)
    {
        Standby?[] standbys = [.. Enumerable.Range(0, servers.CoordinatorServer + 1).Select(servers.StandbyOf)];
        for (int server = 0; server < standbys.Length; server++)
        {
            string own = PinnedKey.SiloOf(servers.KeyOf(server));
            string? next = silos.Where(silo => silo != own && !AreTogether(silo, own, hosts))
                .OrderBy(silo => hosts?.ContainsKey(own) == true ? standbys.Count(standby => IsOn(standby?.Key, silo)) : 0)
                .ThenBy(silo => string.CompareOrdinal(silo, own) < 0)
                .FirstOrDefault();
            standbys[server] ??= next is null ? null : new Standby(PinnedKey.OfJob(next, PinnedKey.JobOf(servers.KeyOf(server))));
        }

        return servers with { Standbys = standbys };
    }

    /// <summary>Why servers have no standby although several silos serve, for people and without a full stop; null: there is no such reason.</summary>
    /// <param name="servers">With all the standbys that there is a silo for.</param>
    /// <param name="silos">That serve.</param>
    public static string? WhyUnprotected(ServerKeys servers, IReadOnlyList<string> silos, IReadOnlyDictionary<string, string> hosts)
    {
        string[] alone = [.. Unprotected(servers).Select(server => PinnedKey.SiloOf(servers.KeyOf(server))).Distinct()];
        if (alone.Length == 0)
        {
            return null;
        }

        string[] others = [.. silos.Where(silo => silo != alone[0])];
        if (others.Length == 0 || !others.All(silo => AreTogether(silo, alone[0], hosts)))
        {
            return null;
        }

        string roles = string.Join(", ", Unprotected(servers).Where(server => IsOn(servers.KeyOf(server), alone[0])).Select(server => NameOf(servers, server)));
        return $"{roles} on silo '{alone[0]}' {(others.Length == 1
            ? $"can have no standby, as the only other server silo, '{others[0]}', is"
            : $"can have no standby, as all other server silos ({string.Join(", ", others)}) are")} on the same host '{hosts[alone[0]]}'";
    }

    private static bool AreTogether(string silo, string other, IReadOnlyDictionary<string, string>? hosts) =>
        hosts is not null && hosts.TryGetValue(silo, out string? host) && hosts.TryGetValue(other, out string? same) && host == same;

    private static bool IsOn(string? key, string silo) => key is not null && PinnedKey.SiloOf(key) == silo;
}
