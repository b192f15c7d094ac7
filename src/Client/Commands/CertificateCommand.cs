using System.CommandLine;
using System.Net;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Security;

namespace ConvNet.Client.Commands;

/// <summary>cluster certs: the certificates by which silos and clients know each other.</summary>
internal static class CertificateCommand
{
    public static Command Create(Terminal terminal) => new("certs", "Makes and shows the certificates by which silos and clients know each other.")
    {
        CreateInit(terminal),
        CreateAdd(terminal),
        CreateShow(terminal),
    };

    private static Argument<string> FolderArgument() => new("dir") { Description = "Folder of the certificates", HelpName = "DIR" };

    private static Command CreateInit(Terminal terminal)
    {
        Argument<string> folder = FolderArgument();
        var command = new Command(
            "init",
            """
            Makes a CA, a certificate for silos and one for clients in a new folder, for --tls. The CA's key is in DIR/ca: keep it to yourself.

            Example: convnet cluster certs init certs
            """)
        { folder };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(folder)!;
            new CertificateFolder(path).Init(TimeProvider.System);
            terminal.Say($"Made a CA, a certificate for silos and one for clients in {path}; use it with --tls {path}.");
            terminal.Say($"Whoever has {Path.Combine(path, "ca")} can let others in: no silo and no client needs it.");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateAdd(Terminal terminal)
    {
        Argument<string> folder = FolderArgument();
        var silo = new Option<string?>("--silo") { Description = "Make a certificate for a silo, in DIR/NAME", HelpName = "NAME" };
        var client = new Option<string?>("--client") { Description = "Make a certificate for a client, in DIR/NAME", HelpName = "NAME" };
        var redis = new Option<string?>("--redis") { Description = "Make a certificate for the Redis of a rediss:// cluster, in DIR/NAME", HelpName = "NAME" };
        var addresses = new Option<string[]>("--ip")
        {
            Description = "Address at which others find the silo or Redis; may be repeated [any; of Redis: NAME alone]",
            HelpName = "ADDRESS",
        };
        var command = new Command(
            "add",
            """
            Makes one more certificate, in a folder below DIR that can be copied to its machine and be its --tls folder.
            That of Redis is for the host of the cluster's URL: its NAME, or an --ip.

            Example: convnet cluster certs add certs --silo node-2 --ip 10.0.0.2
            """)
        { folder, silo, client, redis, addresses };
        command.SetAction(parsed =>
        {
            (PeerRole role, string name) = (parsed.GetValue(silo), parsed.GetValue(client), parsed.GetValue(redis)) switch
            {
                ({ } named, null, null) => (PeerRole.Silo, named),
                (null, { } named, null) => (PeerRole.Client, named),
                (null, null, { } named) => (PeerRole.Redis, named),
                _ => throw new ConvNetException(ExitCode.Usage, "certs add needs one of --silo NAME, --client NAME and --redis NAME. Say which."),
            };
            IPAddress[] places = [.. (parsed.GetValue(addresses) ?? []).Select(ParseAddress)];
            if (role == PeerRole.Client && places.Length > 0)
            {
                throw new ConvNetException(ExitCode.Usage, "--ip is for silos and Redis: clients may call from anywhere. Leave it out.");
            }

            string made = new CertificateFolder(parsed.GetValue(folder)!).Add(role, name, places, TimeProvider.System);
            terminal.Say(role == PeerRole.Redis
                ? $"Made a certificate for Redis {name}; copy {made} to its machine, and name its files in redis.conf " +
                  "(tls-cert-file, tls-key-file, tls-ca-cert-file)."
                : $"Made a certificate for {(role == PeerRole.Silo ? "silo" : "client")} {name}; copy {made} to its machine, and use it with --tls.");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateShow(Terminal terminal)
    {
        Argument<string> folder = FolderArgument();
        var command = new Command(
            "show",
            """
            Shows whose certificates there are and when they expire, and warns of those that expire within 30 days.

            Example: convnet cluster certs show certs
            """)
        { folder };
        command.SetAction(parsed =>
        {
            IReadOnlyList<CertificateFile> certificates = new CertificateFolder(parsed.GetValue(folder)!).List();
            foreach (string line in TableOf(terminal, certificates).Lines(terminal.SizeNow.LineColumns))
            {
                terminal.Out.WriteLine(line);
            }

            foreach (string warning in certificates.Select(certificate => certificate.Warn(TimeProvider.System)).OfType<string>())
            {
                terminal.Error.WriteLine($"warning: {warning}");
            }

            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static TextTable TableOf(Terminal terminal, IReadOnlyList<CertificateFile> certificates)
    {
        var table = new TextTable(
            terminal,
            new Column("file", 0, IsNumber: false),
            new Column("role", 0, IsNumber: false),
            new Column("expires", 0, IsNumber: false),
            new Column("name", 1, IsNumber: false),
            new Column("addresses", 2, IsNumber: false));
        foreach (CertificateFile certificate in certificates)
        {
            string places = certificate.Addresses.Count > 0 ? string.Join(", ", certificate.Addresses) : "any";
            string shown = certificate.Role is "silo" or "redis" ? places : "";
            table.Add(certificate.Path, certificate.Role, $"{certificate.Expires:yyyy-MM-dd}", certificate.Name, shown);
        }

        return table;
    }

    private static IPAddress ParseAddress(string text) => IPAddress.TryParse(text, out IPAddress? address) ? address
        : throw ConvNetException.BadInput($"--ip '{text}' is no IP address. Name one, such as 10.0.0.2.");
}
