using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class WorkerOrdersTests
{
    private readonly WorkerOrders _orders = new(TwoWorkers(generation: 2, firstStep: 5), "a/0");

    [Fact]
    public void An_order_is_carried_out_once_however_often_it_is_told()
    {
        Assert.Equal(Verdict.Accepted, Take(5, order: 1));
        Assert.Equal(Verdict.Duplicate, Take(5, order: 1));
        Assert.Equal(Verdict.Accepted, Take(9, order: 2));
    }

    [Fact]
    public void An_order_that_arrives_after_a_later_one_is_stale()
    {
        Take(9, order: 2);

        Assert.Equal(Verdict.Stale, Take(5, order: 1));
    }

    [Fact]
    public void Orders_of_other_generations_and_jobs_have_no_effect()
    {
        Assert.Equal(Verdict.Stale, Take(5, order: 1, generation: 1));
        Assert.Equal(Verdict.Future, Take(5, order: 1, generation: 3));
        Assert.Equal(Verdict.Rejected, _orders.Take(FromServer(5, 2) with { JobId = "other" }, 1).Verdict);

        Assert.Equal(Verdict.Accepted, Take(5, order: 1));
    }

    [Fact]
    public void An_order_before_the_generations_first_step_is_rejected_with_both_steps()
    {
        Answer answer = _orders.Take(FromServer(4, 2), 1);

        Assert.Equal(Verdict.Rejected, answer.Verdict);
        Assert.Contains("step 4", answer.Reason);
        Assert.Contains("step 5", answer.Reason);
        Assert.Contains("a/0", answer.Reason);
    }

    private Verdict Take(long step, long order, long generation = 2) => _orders.Take(FromServer(step, generation), order).Verdict;
}
