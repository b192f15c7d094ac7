using System.Buffers;
using System.IO.Pipelines;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class PendingMessagesTests
{
    private static readonly WireLimits Limits = WireLimits.Default with { PendingBytes = 1000 };

    [Fact]
    public void When_messages_that_have_not_ended_hold_too_much_the_oldest_goes()
    {
        using var pending = new PendingMessages(Limits, TimeProvider.System);
        List<string> ended = [];
        PendingMessage old = pending.Open(_ => ended.Add("old"));
        PendingMessage young = pending.Open(_ => ended.Add("young"));

        pending.Report(old, 600, isNew: true);
        pending.Report(young, 400, isNew: true);
        Assert.Empty(ended);
        pending.Report(young, 401, isNew: false);
        Assert.Equal(["old"], ended);

        // What has gone counts no more, and what is still on its way from it neither.
        pending.Report(old, 900, isNew: false);
        pending.Report(young, 1000, isNew: false);
        Assert.Equal(["old"], ended);
        pending.Close(old);
        pending.Report(young, 1001, isNew: false);
        Assert.Equal(["old", "young"], ended);
    }

    [Fact]
    public void A_connection_whose_messages_end_is_young_again_and_one_that_closes_leaves_nothing()
    {
        using var pending = new PendingMessages(Limits, TimeProvider.System);
        List<string> ended = [];
        PendingMessage busy = pending.Open(_ => ended.Add("busy"));
        PendingMessage slow = pending.Open(_ => ended.Add("slow"));

        pending.Report(busy, 500, isNew: false);
        pending.Report(slow, 500, isNew: false);
        pending.Report(busy, 500, isNew: true);
        pending.Report(busy, 501, isNew: false);

        Assert.Equal(["slow"], ended);
        pending.Close(slow);
        pending.Close(busy);
        PendingMessage next = pending.Open(_ => ended.Add("next"));
        pending.Report(next, 1000, isNew: true);
        Assert.Equal(["slow"], ended);
    }

    [Fact]
    public async Task A_message_that_does_not_end_in_time_is_given_up_also_if_a_byte_of_it_comes_now_and_then()
    {
        using var pending = new PendingMessages(Limits with { MessageTime = TimeSpan.FromMilliseconds(1) }, TimeProvider.System);
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        PendingMessage slow = pending.Open(reason => ended.TrySetResult(reason));
        PendingMessage idle = pending.Open(_ => ended.TrySetResult("idle"));

        pending.Report(idle, 0, isNew: true);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        for (int bytes = 1; !ended.Task.IsCompleted; bytes++)
        {
            pending.Report(slow, bytes, isNew: false);
            await Task.Delay(20, deadline.Token);
        }

        Assert.StartsWith("a message has not ended within", await ended.Task);
    }

    [Fact]
    public async Task A_guarded_reader_passes_everything_on_and_tells_what_stays()
    {
        var pipe = new Pipe();
        List<(long Kept, bool HasUsed)> told = [];
        var reader = new GuardedReader(pipe.Reader, (kept, hasUsed) => told.Add((kept, hasUsed)));

        await pipe.Writer.WriteAsync(new byte[] { 1, 2, 3 }, TestContext.Current.CancellationToken);
        ReadResult first = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal([1, 2, 3], first.Buffer.ToArray());
        reader.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        await pipe.Writer.WriteAsync(new byte[] { 4 }, TestContext.Current.CancellationToken);
        Assert.True(reader.TryRead(out ReadResult second));
        reader.AdvanceTo(second.Buffer.GetPosition(3));
        ReadResult third = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(third.Buffer.End);

        Assert.Equal([(3, false), (1, true), (0, true)], told);
    }
}
