namespace ConvNet.Cluster.Tests;

/// <summary>
/// A cluster whose first server silo by name sees the folder of the clients, and whose second does not: that runs in a mount namespace of its own, where an
/// empty disk lies over the folder.
/// </summary>
public sealed class HiddenFolderFleet : RedisFleet
{
    public const string Seeing = "server-1", Blind = "server-2";

    public string Clients { get; private set; } = "";

    public override async ValueTask InitializeAsync()
    {
        Clients = Directory.CreateDirectory(Path.Combine(Folder, "clients")).FullName;
        await base.InitializeAsync();
        if (SeparateDisks.CanSeparate)
        {
            await StartAsync(Blind, "server");
        }
    }

    protected override string[] Around(string silo) =>
        silo == Blind ? ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\"", Clients] : [];
}
