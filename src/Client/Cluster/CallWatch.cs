using ConvNet.Grains.Calls;

namespace ConvNet.Client.Cluster;

/// <summary>Looks after the calls of a client: while one waits long the gateways are doubted, and one that times out says which of them are silent.</summary>
internal sealed class CallWatch(AnsweringGateways gateways) : IOutgoingGrainCallFilter
{
    /// <summary>Together with a question and the next look at the list less than the shortest time-out of a call, so that its repeat goes elsewhere.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(500);

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        Task call = context.Invoke();
        while (!call.IsCompleted)
        {
            await call.WaitAsync(Slow).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!call.IsCompleted)
            {
                gateways.Doubt();
            }
        }

        try
        {
            await call;
        }
        catch (TimeoutException e)
        {
            throw new UnansweredCallException(gateways.Describe(), e);
        }
    }
}
