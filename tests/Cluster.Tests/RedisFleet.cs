namespace ConvNet.Cluster.Tests;

/// <summary>A cluster with its membership in a Redis of its own. It is begun by a silo that has no servers, and whose device jobs take last.</summary>
public class RedisFleet : SiloFleet
{
    public const string Founder = "node-9";

    internal RedisServer Redis { get; } = new();

    public override string[] ClusterOptions => OptionsWith(Redis.PasswordFile);

    public override async ValueTask InitializeAsync()
    {
        await Redis.StartAsync();
        Url = Redis.Url;
        await StartAsync(Founder, "worker");
        await StartAsync("server-1", "server");
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        Redis.Dispose();
    }

    internal string[] OptionsWith(string passwordFile) => ["--cluster", Url, "--redis-password-file", passwordFile];
}
