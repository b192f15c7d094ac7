using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Network namespaces that stand for machines: each has an address of its own, and a bridge in a further one connects them.</summary>
internal sealed class Machines : IDisposable
{
    private readonly string _prefix = $"cn{Guid.NewGuid().ToString("N")[..6]}-";
    private readonly List<string> _names = [];

    /// <param name="count">Besides the one with the bridge, which has number 0.</param>
    public Machines(int count)
    {
        try
        {
            Add(0);
            Ip("-n", this[0], "link", "add", "bridge0", "type", "bridge");
            Up(0, "bridge0");
            for (int machine = 1; machine <= count; machine++)
            {
                Add(machine);
                Ip("link", "add", "eth0", "netns", this[machine], "type", "veth", "peer", "name", $"to{machine}", "netns", this[0]);
                Ip("-n", this[0], "link", "set", $"to{machine}", "master", "bridge0", "up");
                Up(machine, "eth0");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether this user may make namespaces here.</summary>
    public static bool AreAvailable => Environment.UserName == "root" && File.Exists("/usr/sbin/ip");

    /// <summary>Name of a machine's namespace.</summary>
    public string this[int machine] => $"{_prefix}{machine}";

    public static string AddressOf(int machine) => $"10.213.0.{10 + machine}";

    /// <summary>Cuts a machine off from all others.</summary>
    public void Cut(int machine) => Ip("-n", this[0], "link", "set", $"to{machine}", "down");

    /// <summary>Ends <see cref="Cut"/>.</summary>
    public void Mend(int machine) => Ip("-n", this[0], "link", "set", $"to{machine}", "up");

    public void Dispose()
    {
        foreach (string name in _names)
        {
            Ip("netns", "delete", name);
        }
    }

    private static void Ip(params string[] args)
    {
        using Process process = Process.Start(new ProcessStartInfo("/usr/sbin/ip", args) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {string.Join(' ', args)}: {error}");
    }

    private void Add(int machine)
    {
        Ip("netns", "add", this[machine]);
        _names.Add(this[machine]);
        Ip("-n", this[machine], "link", "set", "lo", "up");
    }

    private void Up(int machine, string device)
    {
        Ip("-n", this[machine], "address", "add", $"{AddressOf(machine)}/24", "dev", device);
        Ip("-n", this[machine], "link", "set", device, "up");
    }
}
