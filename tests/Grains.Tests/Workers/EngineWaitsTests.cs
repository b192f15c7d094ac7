using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

public class EngineWaitsTests
{
    private readonly EngineWaits _waits = new("a/0");

    [Fact]
    public async Task The_end_frees_a_thread_that_waits_for_what_never_comes()
    {
        Task waiting = Patience.Run(() => _waits.Wait(new TaskCompletionSource().Task));
        Assert.False(waiting.IsCompleted);

        _waits.End();

        Assert.Contains("worker a/0", (await Assert.ThrowsAsync<StepAbortedException>(() => waiting)).Message);
    }

    [Fact]
    public void After_the_end_not_even_what_is_there_is_taken()
    {
        Assert.Equal(7, _waits.Wait(Task.FromResult(7)));

        _waits.End();

        Assert.Throws<StepAbortedException>(() => _waits.Wait(Task.FromResult(7)));
    }

    [Fact]
    public void A_failure_is_thrown_as_what_it_is()
    {
        Assert.Throws<InvalidDataException>(() => _waits.Wait(Task.FromException<int>(new InvalidDataException("odd."))));
    }
}
