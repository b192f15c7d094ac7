using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// How the job grain asks the silos of its job whether they are there, and notices sooner than the membership when one is killed or frozen. What a
/// silo still sends that was taken for lost has no effect: its workers' generation is over.
/// </summary>
internal sealed partial class JobGrain
{
    private readonly SiloPulses _pulses = new();
    private readonly HashSet<string> _silent = [];

    /// <summary>Called some times a second.</summary>
    private void Ping(double now)
    {
        if (Machine.Assignment is not { } assignment)
        {
            // The silence of a silo counts from when the job takes its next place there.
            _pulses.Watch([], now);
            return;
        }

        ServerKeys keys = Machine.Servers!;
        ILookup<string, string> servers = keys.ByRole
            .Concat(Numbers(keys).Where(server => keys.StandbyOf(server) is not null)
                .Select(server => ($"the standby of {ServerRoles.NameOf(keys, server)}", keys.StandbyOf(server)!.Key)))
            .ToLookup(server => PinnedKey.SiloOf(server.Item2), server => server.Item1);
        ILookup<string, string> workers = WorkersAndJoiners().ToLookup(PinnedKey.SiloOf);
        string[] silos = [.. servers.Concat(workers).Select(silo => silo.Key).Distinct().Where(silo => silo != self.Name && !IsGone(silo))];
        _pulses.Watch(silos, now);
        (string Silo, string Reason)[] lost = [.. _pulses.Lost(now)];
        _silent.IntersectWith(lost.Select(silo => silo.Silo));
        foreach ((string silo, string reason) in lost)
        {
            if (servers.Contains(silo) && Machine.CanLose(silo))
            {
                LoseSilo(silo, reason);
            }
            else if (servers.Contains(silo))
            {
                // The job cannot go on without its servers, so that it does not matter whether it waits for workers that are there, too.
                if (_silent.Add(silo))
                {
                    Machine.WarnOfSilence(silo, reason, servers[silo]);
                }

                continue;
            }

            foreach (string worker in workers[silo])
            {
                Machine.Lose(worker, reason, now);
            }
        }

        foreach (string silo in silos)
        {
            PingAsync(silo).Ignore();
        }
    }

    private async Task PingAsync(string silo)
    {
        double called = _clock.Now;
        try
        {
            await GrainFactory.GetGrain<IPulseGrain>(PinnedKey.Pulse(silo)).PingAsync();
            _pulses.Heard(silo, _clock.Now);
        }
        catch (TimeoutException)
        {
            // So much the longer is the silence.
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            _pulses.Refused(silo, called, _clock.Now);
        }
    }
}
