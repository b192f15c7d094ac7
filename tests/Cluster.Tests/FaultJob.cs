namespace ConvNet.Cluster.Tests;

/// <summary>What is trained while a fault happens.</summary>
/// <param name="Batch">A multiple of the 6 data shards.</param>
/// <param name="Steps">Of a run that ends by itself.</param>
/// <param name="SaveEvery">Steps from one checkpoint to the next, where many are to be written.</param>
internal sealed record FaultJob(string Model, int Batch, int Steps, int SaveEvery)
{
    private static readonly Dictionary<(FaultJob Job, int Steps), Task<JobEnd>> Undisturbed = [];

    public static FaultJob Lenet { get; } = new("lenet", 96, 600, 50);

    /// <summary>With batch norm, and with steps that take longer.</summary>
    public static FaultJob ResNet20 { get; } = new("resnet20", 24, 150, 10);

    public string[] Options => ["--model", Model, "--batch", $"{Batch}", "--data-shards", "6"];

    /// <summary>How it ends in one process with one worker.</summary>
    public Task<JobEnd> AloneAsync(int steps)
    {
        lock (Undisturbed)
        {
            return Undisturbed.TryGetValue((this, steps), out Task<JobEnd>? known) ? known
                : Undisturbed[(this, steps)] = TrainAsync("--steps", $"{steps}");
        }
    }

    /// <param name="until">Options that say where it ends.</param>
    public async Task<JobEnd> TrainAsync(params string[] until)
    {
        using var folder = new TemporaryFolder();
        return await JobEnd.TrainAsync(folder.Path, [.. Options, .. until, "--workers", "1"]);
    }
}
