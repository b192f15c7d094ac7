namespace ConvNet.Cluster.Tests;

/// <summary>Three silos with all roles on two hosts: the first two of them are on one.</summary>
public sealed class HostsFleet : AllRolesFleet
{
    public const string Shared = "h1", Other = "h2";

    public static string HostOf(string silo) => silo == Workers[^1] ? Other : Shared;

    protected override string[] SettingsOf(string silo) => ["--host", HostOf(silo)];
}
