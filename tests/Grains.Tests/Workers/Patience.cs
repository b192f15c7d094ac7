using Xunit;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>Keeps a test whose thread does not come back from hanging.</summary>
internal static class Patience
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs what may block on a thread of its own.</summary>
    public static Task Run(Action action) => Task.Factory
        .StartNew(action, default, TaskCreationOptions.LongRunning, TaskScheduler.Default)
        .WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static async Task Until(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < end, "it has not come to that");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }
}
