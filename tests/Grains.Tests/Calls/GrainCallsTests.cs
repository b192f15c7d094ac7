using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using Xunit;

namespace ConvNet.Grains.Tests.Calls;

public sealed class GrainCallsTests : IDisposable
{
    private readonly CancellationTokenSource _end = new();

    public void Dispose() => _end.Dispose();

    [Fact]
    public async Task A_call_that_is_never_answered_ends_with_its_cancellation()
    {
        Task<int> call = GrainCalls.CallAsync(() => new TaskCompletionSource<int>().Task, () => "call", cancellation: _end.Token);
        Assert.False(call.IsCompleted);

        await _end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_call_is_not_repeated_after_its_cancellation()
    {
        int calls = 0;
        Task<Answer> call = GrainCalls.DeliverAsync(
            () =>
            {
                calls++;
                return Task.FromResult<Answer>(Verdict.Future);
            },
            () => "call",
            cancellation: _end.Token);
        await _end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_thread_of_its_own_leaves_its_calls_to_the_pool()
    {
        Task<bool>? call = null;
        var engine = new Thread(() => call = GrainCalls.CallAsync(() => Task.FromResult(Thread.CurrentThread.IsThreadPoolThread), () => "call"));
        engine.Start();
        engine.Join();

        Assert.True(await call!);
    }

    [Fact]
    public async Task Who_may_be_told_of_a_replacement_waits_for_a_silo_that_is_gone()
    {
        int calls = 0;

        Assert.Equal(7, await GrainCalls.CallAsync(Call, () => "call", cancellation: _end.Token));

        Assert.Equal(2, calls);

        Task<int> Call()
        {
            return ++calls == 1 ? throw new SiloGoneException("silo 'b' is not in the cluster.") : Task.FromResult(7);
        }
    }

    [Fact]
    public Task Who_cannot_be_told_of_a_replacement_fails_at_once_when_a_silo_is_gone() => Assert.ThrowsAsync<SiloGoneException>(
        () => GrainCalls.CallAsync<int>(
            () => throw new SiloGoneException("silo 'b' is not in the cluster."), () => "call", cancellation: CancellationToken.None));
}
