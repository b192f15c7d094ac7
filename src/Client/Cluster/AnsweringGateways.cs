using System.Net;
using ConvNet.Silo.Security;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Messaging;

namespace ConvNet.Client.Cluster;

/// <summary>
/// The gateways of a cluster but those that do not answer. A silo that is stopped, or whose machine is cut off, keeps its connections: Orleans sends calls
/// there until the other silos have declared it dead. Whoever waits for an answer has the gateways asked; a silent one is asked again until it answers.
/// </summary>
/// <param name="all">What the cluster tells.</param>
/// <param name="answers">Asks one of them.</param>
internal sealed class AnsweringGateways(IGatewayListProvider all, Func<IPEndPoint, Task<bool>> answers, TimeProvider clock) : IGatewayListProvider
{
    /// <summary>Asked at once; what a cluster has beyond is taken to answer.</summary>
    private const int MaxAsked = 64;

    private const int MaxNamed = 4;

    /// <summary>With a gateway, for its answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPEndPoint, DateTimeOffset> _silent = [];
    private IPEndPoint[]? _known;
    private Task _asking = Task.CompletedTask;

    public TimeSpan MaxStaleness => all.MaxStaleness;

    public bool IsUpdatable => true;

    /// <summary>Calls of a client that knows already where to ask for gateways go to those that answer.</summary>
    public static void Use(IClientBuilder client)
    {
        ServiceDescriptor told = client.Services.Last(service => service.ServiceType == typeof(IGatewayListProvider));
        client.Services.Remove(told);
        client.Services.AddSingleton(services => new AnsweringGateways(
            (IGatewayListProvider)ActivatorUtilities.CreateInstance(services, told.ImplementationType!),
            gateway => PortQuestion.IsAnsweredAsync(gateway, Patience, CancellationToken.None),
            TimeProvider.System));
        client.Services.AddSingleton<IGatewayListProvider>(services => services.GetRequiredService<AnsweringGateways>());
        client.AddOutgoingGrainCallFilter<CallWatch>();
    }

    public Task InitializeGatewayListProvider() => all.InitializeGatewayListProvider();

    /// <returns>Those that answer, as far as is known; all if none does.</returns>
    public async Task<IList<Uri>> GetGateways()
    {
        IList<Uri> told = await all.GetGateways();
        bool isFirst;
        lock (_lock)
        {
            isFirst = _known is null && told.Count > 1;
            _known = [.. told.Select(Endpoint)];
            foreach (IPEndPoint gone in _silent.Keys.Except(_known).ToList())
            {
                _silent.Remove(gone);
            }
        }

        if (isFirst)
        {
            await AskAsync();
        }

        lock (_lock)
        {
            Uri[] answering = [.. told.Where(gateway => !_silent.ContainsKey(Endpoint(gateway)))];
            if (answering.Length < told.Count && !isFirst)
            {
                Doubt();
            }

            return answering.Length > 0 ? answering : told;
        }
    }

    /// <summary>Somebody waits for an answer: the gateways are asked, unless they are being asked.</summary>
    public void Doubt() => _ = AskAsync();

    /// <summary>Asks the gateways.</summary>
    /// <returns>Whether any of them answers.</returns>
    public async Task<bool> AnyAnswersAsync()
    {
        await AskAsync();
        lock (_lock)
        {
            return _known?.Length > _silent.Count;
        }
    }

    /// <summary>Who does not answer and since when, as half a sentence about calls that have timed out.</summary>
    public string Describe()
    {
        lock (_lock)
        {
            int count = _known?.Length ?? 0;
            string[] named = [.. _silent.OrderBy(gateway => gateway.Value).Take(MaxNamed).Select(gateway => $"{gateway.Key} since {gateway.Value:HH:mm:ss}")];
            string silent = string.Join(", ", named) + (_silent.Count > named.Length ? $" and {_silent.Count - named.Length} more" : "");
            return (_silent.Count, count) switch
            {
                (0, 0) => "calls time out",
                (0, 1) => $"calls time out, but the gateway {_known![0]} takes connections",
                (0, _) => $"calls time out, but all {count} gateways take connections",
                (1, 1) => $"the gateway {silent} has not answered",
                (var some, _) when some == count => $"no gateway answers: {silent}",
                (var some, _) => $"no answer from {(some == 1 ? "gateway" : "gateways")} {silent}; the other {count - some} answer",
            };
        }
    }

    /// <summary>Completes when the gateways have been asked, by this call or by one that was under way.</summary>
    private Task AskAsync()
    {
        lock (_lock)
        {
            return _known is null || !_asking.IsCompleted ? _asking : _asking = Task.Run(() => AskAsync([.. _known.Take(MaxAsked)]));
        }
    }

    private async Task AskAsync(IPEndPoint[] gateways)
    {
        DateTimeOffset asked = clock.GetLocalNow();
        bool[] hasAnswered = await Task.WhenAll(gateways.Select(answers));
        lock (_lock)
        {
            foreach ((IPEndPoint gateway, bool isThere) in gateways.Zip(hasAnswered))
            {
                if (isThere)
                {
                    _silent.Remove(gateway);
                }
                else if (_known!.Contains(gateway))
                {
                    _silent.TryAdd(gateway, asked);
                }
            }
        }
    }

    private static IPEndPoint Endpoint(Uri gateway) => new(IPAddress.Parse(gateway.Host.Trim('[', ']')), gateway.Port);
}
